import type { Progress } from "../../context.ts";
import type { PhaseTime, RestorePhase } from "./types.ts";

/** Measures phases, which may be entered again, and passes progress on. */
export interface Clock {
  enter(phase: RestorePhase): void;
  stop(): void;
  readonly phases: readonly PhaseTime[];
  report(progress: Progress): void;
}

export function createClock(report: (progress: Progress) => void): Clock {
  const times = new Map<RestorePhase, number>();
  let current: RestorePhase | undefined;
  let since = performance.now();
  const stop = () => {
    const now = performance.now();
    if (current !== undefined) times.set(current, (times.get(current) ?? 0) + now - since);
    current = undefined;
    since = now;
  };
  return {
    enter: (phase) => {
      stop();
      current = phase;
      if (!times.has(phase)) times.set(phase, 0);
    },
    stop,
    get phases() {
      return [...times].map(([name, milliseconds]) => ({ name, milliseconds }));
    },
    report,
  };
}

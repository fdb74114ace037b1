import type { DrillPhase } from "./types.ts";

/** Times the phases of a drill; a phase that throws is timed too. */
export class Stopwatch {
  readonly phases: DrillPhase[] = [];

  async time<T>(name: DrillPhase["name"], work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.phases.push({ name, milliseconds: Math.round(performance.now() - began) });
    }
  }
}

import { randomFrom } from "./random.ts";
import { playRound, type Round } from "./round.ts";
import { makeScenario } from "./scenarios.ts";
import { prepare, type Template } from "./templates.ts";
import { startWorld } from "./world.ts";

export interface RunOptions {
  readonly rounds: number;
  readonly seed: number;
  /** One round alone. */
  readonly only?: number;
  readonly onRound?: (round: Round) => void;
  /** Ends earlier once this much time is used up. */
  readonly mostMs?: number;
}

/** Rounds that share a scenario; its databases are made once. */
const roundsPerScenario = 20;

/** Plays the rounds of a seed; each can be repeated alone, for all that it draws comes from the seed and its number. */
export async function runRounds({ rounds, seed, only, onRound, mostMs }: RunOptions): Promise<Round[]> {
  const started = performance.now();
  const world = await startWorld();
  const played: Round[] = [];
  const templates = new Map<number, Template>();
  try {
    for (let number = only ?? 1; number <= (only ?? rounds); number++) {
      if (mostMs !== undefined && performance.now() - started > mostMs) break;
      const id = Math.floor((number - 1) / roundsPerScenario);
      let template = templates.get(id);
      if (template === undefined) {
        template = await prepare(world, makeScenario(randomFrom(seed * 7_919 + id)), id);
        templates.set(id, template);
      }
      const round = await playRound(world, template, randomFrom(seed * 104_729 + number), number);
      played.push(round);
      onRound?.(round);
    }
    return played;
  } finally {
    await world.stop();
  }
}

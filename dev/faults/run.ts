import { randomFrom } from "./random.ts";
import { playRound, type Round } from "./round.ts";
import { makeScenario } from "./scenarios.ts";
import { forget, prepare } from "./templates.ts";
import { startWorld, type World } from "./world.ts";

export interface RunOptions {
  readonly rounds: number;
  readonly seed: number;
  /** One round alone. */
  readonly only?: number;
  /** Rounds that run at the same time, each lane with servers of its own; default 1. */
  readonly lanes?: number;
  readonly onRound?: (round: Round) => void;
  /** No round begins after that, by Date.now(). */
  readonly until?: number;
}

/** Rounds that share a scenario; its databases are made once. */
const roundsPerScenario = 20;

/** Plays the rounds of a seed; each can be repeated alone, for all that it draws comes from the seed and its number. */
export async function runRounds(options: RunOptions): Promise<Round[]> {
  const { rounds, only, lanes = 1 } = options;
  const first = only ?? 1;
  const last = only ?? rounds;
  const scenarios: number[] = [];
  for (let id = scenarioOf(first); id <= scenarioOf(last); id++) scenarios.push(id);
  const played: Round[] = [];
  const lane = async () => {
    const world = await startWorld();
    try {
      for (let id = scenarios.shift(); id !== undefined; id = scenarios.shift())
        played.push(...(await playScenario(world, options, id, { first, last })));
    } finally {
      await world.stop();
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, scenarios.length) }, lane));
  return played.sort((a, b) => a.number - b.number);
}

function scenarioOf(round: number): number {
  return Math.floor((round - 1) / roundsPerScenario);
}

async function playScenario(
  world: World,
  { seed, onRound, until }: RunOptions,
  id: number,
  { first, last }: { readonly first: number; readonly last: number },
): Promise<Round[]> {
  const played: Round[] = [];
  const template = await prepare(world, makeScenario(randomFrom(seed * 7_919 + id)), id);
  const begin = Math.max(first, id * roundsPerScenario + 1);
  const end = Math.min(last, (id + 1) * roundsPerScenario);
  for (let number = begin; number <= end; number++) {
    // One at least, however slow the machine is.
    if (until !== undefined && number > first && Date.now() > until) break;
    const round = await playRound(world, template, randomFrom(seed * 104_729 + number), number);
    played.push(round);
    onRound?.(round);
  }
  await forget(world, template);
  return played;
}

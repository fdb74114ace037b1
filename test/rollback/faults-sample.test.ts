import { expect, test } from "vitest";
import { runRounds } from "../../dev/faults/run.ts";

const seed = 20_261_121;
const mostMs = 22_000;

test(`rounds of npm run test:faults, as many as go into ${mostMs / 1_000} s (seed ${seed})`, {
  timeout: 240_000,
}, async () => {
  const rounds = await runRounds({ rounds: 20, seed, until: Date.now() + mostMs });
  console.log(`${rounds.length} rounds, seed ${seed}`);
  expect(rounds.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
  expect(rounds.length).toBeGreaterThan(0);
});

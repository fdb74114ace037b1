import { stopAll } from "../../servers/cleanup.ts";
import { startPostgres } from "../../servers/postgres.ts";
import { readRoundsCommand } from "../rounds.ts";
import { type LoadRound, runLoad } from "./run.ts";

const usage = `npm run test:load -- [--rounds N] [--seed N] [--writers N] [--rate N] [--json]

Rolls back and undoes at random moments while a second process writes thousands of transactions a second. After each step every
row that the writers saw committed must be in its table or in the archive, once, and no sequence may be behind. Exits 1 when not.

  --rounds N   default 200
  --seed N     chooses the same rollbacks, pauses and writes again; printed first
  --writers N  connections of the writing process (default 8)
  --rate N     transactions a second that it tries (default 6000)`;

const {
  rounds: wanted,
  seed,
  json,
  values,
  say,
} = readRoundsCommand(usage, 200, {
  writers: { type: "string", default: "8" },
  rate: { type: "string", default: "6000" },
});
try {
  const { url } = await startPostgres();
  const rounds = await runLoad({
    url,
    rounds: wanted,
    seed,
    writers: Number(values.writers),
    rate: Number(values.rate),
    onRound: (round) => {
      if (json) console.log(JSON.stringify({ seed, ...round }));
      else if (round.wrong.length > 0)
        say(`WRONG round ${round.number}, ${round.title}:\n  ${round.wrong.join("\n  ")}`);
      else if (round.number % 20 === 0) say(`round ${round.number}`);
    },
  });
  for (const line of summary(rounds)) say(line);
  process.exitCode = rounds.length < wanted || rounds.some(({ wrong }) => wrong.length > 0) ? 1 : 0;
} finally {
  await stopAll();
}

function summary(rounds: readonly LoadRound[]): string[] {
  const sum = (of: (round: LoadRound) => number) => rounds.reduce((total, round) => total + of(round), 0);
  const seconds = sum(({ seconds }) => seconds);
  const committed = sum(({ committed }) => committed);
  const failed = sum(({ failed }) => Object.values(failed).reduce((total, times) => total + times, 0));
  const locked = rounds.flatMap(({ lockedMs }) => lockedMs ?? []).sort((a, b) => a - b);
  const count = (value: number) => Math.round(value).toLocaleString("en-US");
  return [
    `${rounds.length} rounds in ${count(seconds)} s: ${rounds.filter(({ rolledBack }) => rolledBack).length} rolled back, ${rounds.filter(({ undone }) => undone).length} undone, ${rounds.filter(({ refused }) => refused !== null).length} refused for want of locks`,
    `${count(committed)} transactions committed by the writers (${count(committed / sum(({ writingSeconds }) => writingSeconds))} a second while they wrote), ${count(failed)} failed on what was gone, ${sum(({ unknown }) => unknown)} of unknown outcome`,
    `${count(sum(({ archivedRows }) => archivedRows))} rows archived; locks held ${count(locked[Math.floor(locked.length / 2)] ?? 0)} ms in the middle, ${count(locked.at(-1) ?? 0)} ms at most; longest transaction of a writer ${count(Math.max(0, ...rounds.map(({ longestMs }) => longestMs)))} ms`,
    `${rounds.reduce((total, { wrong }) => total + wrong.length, 0)} rows lost, doubled or other than committed`,
  ];
}

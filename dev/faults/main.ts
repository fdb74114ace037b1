import { stopAll } from "../../servers/cleanup.ts";
import { readRoundsCommand } from "../rounds.ts";
import type { Round } from "./round.ts";
import { runRounds } from "./run.ts";

const usage = `npm run test:faults -- [--rounds N] [--seed N] [--only ROUND] [--json] [--verbose]

Breaks rollbacks and undos on purpose: the process, its connections, the database server and the store, at random moments.
After each round the database must be as before or as after, ledger, archives and audit log must agree, nothing may be
left over, and the same command must work again (docs/faults.md). Exits 1 when a round went wrong.

  --rounds N    default 500
  --seed N      repeats a run; printed first
  --lanes N     rounds at the same time (default 4: most of a round is waiting)
  --only ROUND  one round of the seed alone`;

const {
  rounds: wanted,
  seed,
  json,
  values,
  say,
} = readRoundsCommand(usage, 500, {
  only: { type: "string" },
  lanes: { type: "string", default: "4" },
  verbose: { type: "boolean" },
});
// The verbs in this process are Belay's own code: what it lets fall must not go by unseen.
const unheard: string[] = [];
process.on("unhandledRejection", (error) => {
  unheard.push(String((error as Error)?.stack ?? error));
  say(`WRONG: a rejection that nobody handled: ${unheard.at(-1)}`);
});
const started = performance.now();
const rounds = await runRounds({
  rounds: wanted,
  seed,
  lanes: Number(values.lanes),
  ...(values.only === undefined ? {} : { only: Number(values.only) }),
  onRound: (round) => {
    if (json) console.log(JSON.stringify({ seed, ...round }));
    if (round.wrong.length > 0)
      say(
        `WRONG ${told(round)}\n  ${round.wrong.join("\n  ")}\n  again with: npm run test:faults -- --seed ${seed} --only ${round.number}`,
      );
    else if (values.verbose) say(told(round));
  },
});
for (const line of table(rounds)) say(line);
const wrong = rounds.filter((round) => round.wrong.length > 0).length;
const of = (side: Round["side"]) => rounds.filter((round) => round.side === side).length;
say(
  `${rounds.length} rounds, ${of("before")} before, ${of("after")} after, ${wrong} wrong (${Math.round((performance.now() - started) / 1_000)} s)`,
);
await stopAll();
process.exit(wrong + unheard.length > 0 ? 1 : 0);

function told({ number, words, side, exitCode, signal, ms, output }: Round): string {
  const last = values.verbose ? ` | ${output.split("\n")[0]!.slice(0, 140)}` : "";
  return `${number} ${words}: ${side}, exit ${signal ?? exitCode}, ${ms} ms${last}`;
}

function table(rounds: readonly Round[]): string[] {
  const kinds = new Map<string, Round[]>();
  for (const round of rounds) {
    const key = `${round.group}: ${round.kind}`;
    kinds.set(key, [...(kinds.get(key) ?? []), round]);
  }
  const width = Math.max(...[...kinds.keys()].map(({ length }) => length));
  return [...kinds]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, of]) => {
      const count = (side: Round["side"]) => String(of.filter((round) => round.side === side).length).padStart(4);
      return `${key.padEnd(width)} ${count("before")} before ${count("after")} after`;
    });
}

import { parseArgs } from "node:util";

type Flags = Readonly<
  Record<string, { readonly type: "string"; readonly default?: string } | { readonly type: "boolean" }>
>;

export interface RoundsCommand {
  readonly rounds: number;
  readonly seed: number;
  readonly json: boolean;
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  /** A line for people; nothing with --json. */
  say(line: string): void;
}

/** Reads the command line of a program that plays rounds by a seed, and prints the seed; `--help` shows the usage and ends. */
export function readRoundsCommand(usage: string, rounds: number, more: Flags): RoundsCommand {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: String(rounds) },
      seed: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
      ...more,
    },
  }) as { values: Record<string, string | boolean | undefined> };
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const json = values.json === true;
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
  const say = (line: string) => void (json || console.log(line));
  say(`seed ${seed}`);
  return { rounds: Number(values.rounds), seed, json, values, say };
}

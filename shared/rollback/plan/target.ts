import { BelayError } from "../../errors.ts";
import type { Plan, PreserveMode } from "../types.ts";

/** What is to be rolled back, as it was asked for (exactly one of the first four), and how what goes is kept. */
export interface TargetRequest {
  /** A migration's name, file name or version, or `latest`. */
  readonly migration?: string;
  /** Several migrations, in any order. */
  readonly migrations?: readonly string[];
  /** Name or version: every applied migration after it goes. */
  readonly to?: string;
  /** Belay's id of a deployment, or the platform's own: the migrations that it brought go. */
  readonly deployment?: string;
  /** Default: `archive`. */
  readonly preserve?: PreserveMode;
  /** Tables, `schema.table`, to archive whole besides what the plan names: the SQL may change or drop them out of its sight. */
  readonly archive?: readonly string[];
}

/** The request as the plan shows it; throws `usage` unless exactly one thing is asked for. */
export function planTarget(request: TargetRequest): Plan["target"] {
  const { migration, migrations, to, deployment } = request;
  const given = [migration, migrations, to, deployment].filter((each) => each !== undefined);
  if (given.length !== 1 || migrations?.length === 0)
    throw new BelayError(
      "usage",
      `${given.length === 0 ? "nothing is" : "more than one thing is"} asked to be rolled back`,
      {
        hint: "Name a migration, several of them, `latest`, --to VERSION or --deployment ID: one of these.",
      },
    );
  if (to !== undefined) return { kind: "to", value: to };
  if (deployment !== undefined) return { kind: "deployment", value: deployment };
  if (migration === "latest") return { kind: "latest", value: migration };
  const names = migrations ?? [migration!];
  return names.length === 1 ? { kind: "migration", value: names[0]! } : { kind: "migrations", value: names.join(" ") };
}

/** The target in words: `20250102_orders`, `--to 20250101`, `--deployment dpl_1`. */
export function targetWords({ kind, value }: Plan["target"]): string {
  return kind === "to" || kind === "deployment" ? `--${kind} ${value}` : value;
}

/** The request as words of the command line. */
export function requestWords(request: TargetRequest): string {
  return targetWords(planTarget(request));
}

/** The flags that ask for tables to be archived whole, as a shell takes them. */
export function archiveWords(names: readonly string[]): string {
  return names.map((name) => `--archive ${shellWord(name)}`).join(" ");
}

function shellWord(name: string): string {
  return /^[\w.]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`;
}

import type { ParseArgsOptionsConfig } from "node:util";
import type { OpenedArchive } from "../shared/archive/read/types.ts";
import type { Belay } from "../shared/context.ts";
import type { MigrationFolder } from "../shared/migrations/types.ts";
import type { StoreCredentials } from "../shared/store/open.ts";
import type { ExitCode } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

export type FlagValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** What a command is given: parsed words and flags, the terminal, and the adapters, opened when first used. */
export interface Invocation {
  readonly words: readonly string[];
  readonly flags: FlagValues;
  readonly terminal: Terminal;
  readonly belay: Belay;
  /** Keys of S3 stores, from the environment. */
  readonly credentials: Partial<StoreCredentials>;
  /** Where the settings' policy is from; null: Belay's default. */
  readonly policyFile: string | null;
  /** Any archive: an id in the store, a `file://` or `s3://` place, or a path on this machine. */
  openArchive(word: string): Promise<OpenedArchive>;
  /** The migrations folder of the checkout. */
  folder(): Promise<MigrationFolder>;
  /** The migrations folder, or undefined when none was named and the checkout has none: the ledger stands alone. */
  folderIfAny(): Promise<MigrationFolder | undefined>;
}

export interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** Words after the name, as usage shows them: `MIGRATION`. */
  readonly usage: string;
  readonly flags: ParseArgsOptionsConfig;
  /** One line a flag: name, meaning. */
  readonly help: readonly (readonly [flag: string, meaning: string])[];
  readonly words: { readonly min: number; readonly max: number };
  /** Which of the migrations folder's problems are told after the command's lines; `own`: it tells them itself. Default: errors. */
  readonly problems?: "own" | "errors" | "all";
  run(invocation: Invocation): Promise<ExitCode>;
}

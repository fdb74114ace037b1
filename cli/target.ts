import { BelayError } from "../shared/errors.ts";
import type { TargetRequest } from "../shared/rollback/plan/target.ts";
import { type PreserveMode, preserveModes } from "../shared/rollback/types.ts";
import type { FlagValues } from "./command.ts";

/** Flags of every command that takes a target. */
export const targetFlags = {
  to: { type: "string" },
  deployment: { type: "string" },
  archive: { type: "string", multiple: true },
  preserve: { type: "string" },
} as const;

export const targetUsage = "MIGRATION...|latest|--to VERSION|--deployment ID";

export const targetHelp: readonly (readonly [string, string])[] = [
  ["--to VERSION", "all applied migrations after this one, as one set"],
  ["--deployment ID", "the migrations that came with a deployment (Belay's id or the platform's)"],
  ["--archive TABLE", "archive this table whole too: SQL that hides what it does may change or drop it (repeatable)"],
  ["--preserve quarantine", "move plainly dropped tables and types to a private schema: at once, whatever their size"],
  ["--preserve copy", "keep lost rows and columns in the database too, as tables of a private schema"],
  ["--preserve archive", "in the store alone (the usual way, unless the policy says otherwise)"],
];

/** What words and flags ask for, with what is archived besides; throws `usage` unless one thing is to go. */
export function targetOf(words: readonly string[], flags: FlagValues): TargetRequest {
  const target = oneTarget(words, flags);
  const preserve = preserveOf(flags);
  return {
    ...target,
    ...(Array.isArray(flags.archive) ? { archive: flags.archive as string[] } : {}),
    ...(preserve === undefined ? {} : { preserve }),
  };
}

function preserveOf({ preserve }: FlagValues): PreserveMode | undefined {
  if (preserve === undefined) return undefined;
  const mode = preserveModes.find((each) => each === preserve);
  if (mode !== undefined) return mode;
  throw new BelayError("usage", `there is no --preserve ${preserve}`, { hint: `One of: ${preserveModes.join(", ")}` });
}

function oneTarget(words: readonly string[], { to, deployment }: FlagValues): TargetRequest {
  const given = [words.length > 0, to !== undefined, deployment !== undefined].filter(Boolean).length;
  if (given !== 1)
    throw new BelayError("usage", given === 0 ? "no migration is named" : "more than one target is given", {
      hint: `One of: ${targetUsage}`,
    });
  if (typeof to === "string") return { to };
  if (typeof deployment === "string") return { deployment };
  if (words.length > 1 && words.includes("latest"))
    throw new BelayError("usage", "`latest` stands alone", { hint: "Name the migrations, or use --to VERSION." });
  return words.length === 1 ? { migration: words[0]! } : { migrations: words };
}

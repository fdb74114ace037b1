import { BelayError } from "../shared/errors.ts";
import type { TargetRequest } from "../shared/rollback/plan/target.ts";
import type { FlagValues } from "./command.ts";

/** Flags of every command that takes a target. */
export const targetFlags = {
  to: { type: "string" },
  deployment: { type: "string" },
  archive: { type: "string", multiple: true },
} as const;

export const targetUsage = "MIGRATION...|latest|--to VERSION|--deployment ID";

export const targetHelp: readonly (readonly [string, string])[] = [
  ["--to VERSION", "all applied migrations after this one, as one set"],
  ["--deployment ID", "the migrations that came with a deployment (Belay's id or the platform's)"],
  ["--archive TABLE", "archive this table whole too: SQL that hides what it does may change or drop it (repeatable)"],
];

/** What words and flags ask for, with what is archived besides; throws `usage` unless one thing is to go. */
export function targetOf(words: readonly string[], flags: FlagValues): TargetRequest {
  const target = oneTarget(words, flags);
  return Array.isArray(flags.archive) ? { ...target, archive: flags.archive as string[] } : target;
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

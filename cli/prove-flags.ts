import { BelayError } from "../shared/errors.ts";
import { compareVersions } from "../shared/migrations/layouts/source.ts";
import { type Proof, type ProofVerdict, proofVerdicts } from "../shared/migrations/prove/types.ts";
import { sameVersion } from "../shared/migrations/tracking/tables.ts";
import type { Migration, MigrationFolder } from "../shared/migrations/types.ts";
import type { Policy } from "../shared/rollback/plan/policy.ts";
import type { FlagValues } from "./command.ts";

export const text = { type: "string" } as const;
export const flag = { type: "boolean" } as const;

/** Which proofs fail the run: by --strict, by --fail-on, else by the policy. Throws `usage`. */
export function failPolicy(flags: FlagValues, { prove }: Pick<Policy, "prove">): (proof: Proof) => boolean {
  const strict = flags.strict === true;
  const verdicts = strict
    ? proofVerdicts.filter((verdict) => verdict !== "exact")
    : (failOn(flags["fail-on"]) ?? prove.failOn);
  return ({ verdict, up_again }) =>
    verdicts.includes(verdict) || (strict && (up_again === "differs" || up_again === "fails"));
}

function failOn(given: FlagValues[string]): readonly ProofVerdict[] | null {
  if (typeof given !== "string") return null;
  if (given.trim() === "none") return [];
  return given.split(",").map((name) => {
    const known = proofVerdicts.find((verdict) => verdict === name.trim());
    if (known !== undefined && known !== "exact") return known;
    throw new BelayError("usage", `--fail-on ${name.trim()} is no verdict that can fail`, {
      hint: `Of ${proofVerdicts.filter((verdict) => verdict !== "exact").join(", ")}; or none`,
    });
  });
}

/** Which migrations are asked for, by --only and --since. Throws `unknown_migration`. */
export function wantedMigrations(flags: FlagValues, folder: MigrationFolder): (migration: Migration) => boolean {
  const only = (flags.only ?? []) as readonly string[];
  for (const name of only)
    if (!folder.migrations.some((migration) => isNamed(migration, name)))
      throw new BelayError("unknown_migration", `there is no migration ${name} in ${folder.directory}`, {
        hint: "Name it by file, name or version.",
        details: { migration: name },
      });
  const since = typeof flags.since === "string" ? flags.since : null;
  return (migration) =>
    (only.length === 0 || only.some((name) => isNamed(migration, name))) &&
    (since === null || compareVersions(migration.version, since) >= 0);
}

function isNamed({ name, version, file }: Migration, written: string): boolean {
  return written === name || sameVersion(written, version) || file.endsWith(`/${written}`) || file === written;
}

/** A whole number of a flag within bounds. Throws `usage`. */
export function numberOf(flags: FlagValues, name: string, least: number, most: number): number | undefined {
  const given = flags[name];
  if (typeof given !== "string") return undefined;
  const value = Number(given);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new BelayError("usage", `--${name} ${given} is not a number from ${least} to ${most}`, {
    hint: "See: belay prove --help",
  });
}

import { existsSync, readFileSync } from "node:fs";
import { BelayError } from "../shared/errors.ts";
import { parsePolicy } from "../shared/rollback/plan/parse-policy.ts";
import { defaultPolicy, type Policy } from "../shared/rollback/plan/policy.ts";

/** Taken when it lies where the command runs and no other is named. */
export const policyFileName = "belay.policy.json";

/** The policy in effect and where it is from: the file that is named, `belay.policy.json` here, or Belay's default. */
export interface PolicySource {
  readonly policy: Policy;
  /** Path; null: the default. */
  readonly file: string | null;
}

/** Reads the policy; throws `usage` when the named file is not there or not valid. */
export function readPolicy(named: string | undefined): PolicySource {
  const file = named ?? (existsSync(policyFileName) ? policyFileName : undefined);
  if (file === undefined) return { policy: defaultPolicy, file: null };
  return { policy: parsePolicy(readText(file), file), file };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new BelayError(
      "usage",
      `the policy ${file} cannot be read: ${(cause as NodeJS.ErrnoException).code ?? "error"}`,
      {
        hint: "Pass --policy FILE or set BELAY_POLICY; see docs/policy.md.",
        cause,
      },
    );
  }
}

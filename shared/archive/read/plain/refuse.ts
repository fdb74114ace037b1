import { BelayError } from "../../../errors.ts";

/** An `archive_invalid` that names the script's line; `name` is the script's file. */
export function refuseScript(name: string, line: number, why: string, hint?: string): BelayError {
  return new BelayError("archive_invalid", `${name}:${line}: ${why}`, {
    hint: hint ?? "The script is cut or was changed by hand. Mend it, or use another archive.",
    details: { script: name, line, problem: why },
  });
}

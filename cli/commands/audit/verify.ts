import { createReadStream } from "node:fs";
import { parsePublicKey } from "../../../shared/audit/sealed.ts";
import type { AuditVerification } from "../../../shared/audit/types.ts";
import { type VerifyOptions, verifyAuditLog } from "../../../shared/audit/verify.ts";
import { verifyExport } from "../../../shared/audit/verify-export.ts";
import { BelayError } from "../../../shared/errors.ts";
import type { FlagValues, Invocation } from "../../command.ts";
import { type ExitCode, exit } from "../../exit.ts";
import { verificationLines } from "../../render/audit.ts";

export async function verify({ flags, terminal, belay }: Invocation): Promise<ExitCode> {
  const options = optionsOf(flags);
  const result =
    typeof flags.file === "string" ? await verifyFile(flags.file, options) : await verifyAuditLog(belay, options);
  if (terminal.json) terminal.document(result);
  for (const line of verificationLines(result, terminal.width)) terminal.line(line);
  return result.ok ? exit.done : exit.failed;
}

async function verifyFile(file: string, options: VerifyOptions): Promise<AuditVerification> {
  const stream = createReadStream(file, { highWaterMark: 256 * 1024 });
  try {
    return await verifyExport(stream, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new BelayError("usage", `${file} cannot be read: ${(error as Error).message}`, {
      hint: "Give the file that `belay audit export --output` wrote.",
    });
  } finally {
    stream.destroy();
  }
}

function optionsOf({ key, expect }: FlagValues): VerifyOptions {
  return {
    ...(typeof key === "string" ? { key: parsePublicKey(key) } : {}),
    ...(typeof expect === "string" ? { expect: parseExpected(expect) } : {}),
  };
}

function parseExpected(text: string): { id: number; hash: string } {
  const match = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text);
  if (match === null)
    throw new BelayError("usage", `--expect ${text} is not a row and its hash`, { hint: "--expect ID:HASH" });
  return { id: Number(match[1]), hash: match[2]! };
}

import { verifyAny } from "../../../shared/archive/verify/any.ts";
import type { AnyVerification } from "../../../shared/archive/verify/types.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exit } from "../../exit.ts";
import { archivePlace } from "../../places.ts";
import { printable } from "../../render/printable.ts";
import { hang } from "../../render/wrap.ts";
import { bytes, count, mark } from "../../terminal.ts";

/** Reads every byte of an archive again and decodes it; problems are a failure. */
export async function verify({ belay, terminal, credentials }: Invocation, word: string): Promise<ExitCode> {
  const place = archivePlace(word);
  const verified = await verifyAny(place, {
    credentials,
    report: belay.report,
    ...(place.includes("://") ? {} : { store: belay.store }),
  });
  terminal.settle();
  if (terminal.json) terminal.document(verified);
  const { archive, problems, notes } = verified;
  if (problems.length > 0) terminal.line(`${mark.no()} ${archive}: ${count(problems.length, "problem")}`);
  else terminal.line(`${mark.yes()} ${archive}: every byte read back and decoded: ${contents(verified)}`);
  for (const problem of problems)
    for (const line of hang("  ", printable(problem), terminal.width)) terminal.line(line);
  for (const note of notes)
    for (const line of hang(`  ${mark.open()} `, printable(note), terminal.width)) terminal.line(line);
  if (verified.hint) for (const line of hang("→ ", verified.hint, terminal.width)) terminal.line(line);
  return problems.length === 0 ? exit.done : exit.failed;
}

function contents({ tables, rows, largeObjects, bytes: size }: AnyVerification): string {
  const objects = largeObjects === 0 ? "" : `, ${count(largeObjects, "large object")}`;
  return `${count(tables, "table")}, ${count(rows, "row")}${objects}, ${bytes(size)}`;
}

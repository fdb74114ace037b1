import { continueAfterRestore } from "../../../shared/audit/continue.ts";
import { sealRecords } from "../../../shared/audit/seal-records.ts";
import { readState } from "../../../shared/audit/state.ts";
import { BelayError } from "../../../shared/errors.ts";
import { requireBelay } from "../../../shared/install.ts";
import { withSession } from "../../../shared/with-session.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exit } from "../../exit.ts";
import { mark } from "../../terminal.ts";

export async function anchor({ flags, terminal, belay }: Invocation): Promise<ExitCode> {
  const reason = typeof flags.reason === "string" ? flags.reason.trim() : "";
  const afterRestore = flags["after-restore"] === true;
  if (afterRestore !== (reason !== ""))
    throw new BelayError("usage", afterRestore ? "--after-restore needs a reason" : "--reason is for --after-restore", {
      hint: "belay audit anchor --after-restore --reason TEXT",
    });
  const { url } = belay.store;
  return await withSession(belay, "belay audit", async (session) => {
    await requireBelay(session);
    const continued = afterRestore ? await continueAfterRestore(belay, session, reason) : null;
    const notes = await sealRecords(belay, session);
    const { head, last } = await readState(session, url);
    const anchored = head !== null && last?.id === head.id && last.hash === head.hash;
    if (terminal.json) terminal.document({ anchored, store: url, head, continued, notes });
    if (continued !== null)
      terminal.line(
        `${mark.yes()} on record: anchors agree up to row ${continued.above}, and those up to row ${continued.newest} are left`,
      );
    for (const note of notes) terminal.line(`${mark.no()} ${note}`);
    if (head === null) terminal.line(`${mark.open()} the audit log is empty: there is nothing to anchor`);
    else if (anchored) terminal.line(`${mark.yes()} anchored in ${url}\n  ${head.id}:${head.hash}`);
    return notes.length === 0 ? exit.done : exit.failed;
  });
}

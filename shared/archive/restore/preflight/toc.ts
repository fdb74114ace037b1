import { describeDatabase } from "../../../postgres/errors.ts";
import type { Session } from "../../../postgres/session.ts";
import type { TocArchive } from "../../read/types.ts";
import { planRestore } from "../plan/plan.ts";
import { selectTables } from "../plan/select.ts";
import type { RestorePlan } from "../plan/types.ts";
import type { RestoreRequest } from "../types.ts";
import { requireAbsent } from "./absent.ts";
import { olderExtensions, requireEnvironment } from "./environment.ts";
import { majorOf, readServerFacts, requireRoom } from "./preflight.ts";
import { requireOwners } from "./rights.ts";
import { refuseSource } from "./source.ts";
import { needsOf } from "./toc-needs.ts";

/** Looks whether the archive and the database fit, and plans the restore. Throws `restore_target`, and `usage` for an unknown table. */
export async function planChecked(
  request: RestoreRequest & { readonly archive: TocArchive },
  session: Session,
): Promise<RestorePlan> {
  const { archive, url, tables, owners = true, grants = true, rows = true } = request;
  await refuseSource(session, archive.manifest);
  if (!request.resume) await requireRoom(session, describeDatabase(url), request);
  const facts = await readServerFacts(session);
  const { entries } = archive.toc;
  const selection = tables === undefined ? null : selectTables(entries, tables);
  const wanted = selection === null ? entries : entries.filter(({ dumpId }) => selection.ids.has(dumpId));
  const noted = selection === null ? archive.manifest : null;
  const needs = needsOf(wanted, noted, { owners, grants });
  await requireEnvironment(session, needs);
  if (selection !== null && !request.resume) await requireAbsent(session, selection.tables);
  if (owners) await requireOwners(session, wanted, facts.self);
  const plan = planRestore(archive.toc, {
    owners,
    grants,
    rows,
    self: facts.self,
    serverVersion: session.serverVersion,
    selected: selection?.ids ?? null,
    tablespaces: facts.tablespaces,
    foreignKeys: facts.foreignKeys,
    dataBytes: (entry) => archive.dataBytes(entry),
  });
  const notes = [...newerSource(archive, session), ...(await olderExtensions(session, needs))];
  return { ...plan, leftOut: [...notes, ...(selection?.leftOut ?? []), ...plan.leftOut] };
}

/** Major versions of the server that was dumped and of the one that is restored to. */
export function majorsOf({ toc }: TocArchive, { serverVersion }: Session) {
  return { from: majorOf(toc.serverVersion), into: Math.floor(serverVersion / 10_000) };
}

function newerSource(archive: TocArchive, session: Session): string[] {
  const { from, into } = majorsOf(archive, session);
  return from > into
    ? [`the archive comes from PostgreSQL ${from}, this server is ${into}: what only the newer one knows fails`]
    : [];
}

import type { Belay } from "../context.ts";
import { BelayError } from "../errors.ts";
import { requireBelay } from "../install.ts";
import { databaseError } from "../postgres/errors.ts";
import type { Session } from "../postgres/session.ts";
import { readAnchors } from "./anchors.ts";
import { checkElsewhere } from "./elsewhere.ts";
import { type ExportEnd, type ExportFormat, writers } from "./export-format.ts";
import { anchorsOf } from "./known-anchors.ts";
import { rowTexts } from "./read-rows.ts";
import type { Sealed } from "./sealed.ts";
import { storeOf } from "./store-of.ts";
import type { Anchor } from "./types.ts";
import { Problems } from "./walk.ts";

export interface ExportRequest {
  /** First and last row; default: all. */
  readonly from?: number;
  readonly to?: number;
  readonly format: ExportFormat;
}

/**
 * The audit log as text, row by row with its hashes, each anchor of the store behind its row, and an end that says what there
 * should be. Memory stays flat. Throws `usage` for a range that is none.
 */
export async function* exportAudit(belay: Belay, request: ExportRequest): AsyncGenerator<string> {
  const from = request.from ?? 1;
  if (request.to !== undefined && request.to < from)
    throw new BelayError("usage", `there are no rows from ${from} to ${request.to}`, {
      hint: "Give --from and --to in order.",
    });
  const session = await belay.openSession({ applicationName: "belay audit", parameters: { row_security: "off" } });
  try {
    await requireBelay(session);
    yield* exportWith(belay, session, { ...request, from });
  } catch (error) {
    throw databaseError(error, { url: belay.settings.database, doing: "exporting the audit log" });
  } finally {
    await session.close();
  }
}

async function* exportWith(
  belay: Belay,
  session: Session,
  { from, to, format }: ExportRequest & { readonly from: number },
): AsyncGenerator<string> {
  const write = writers[format];
  const problems = new Problems();
  const store = storeOf(belay);
  const { state, map, remembered, elsewhere, notes: said } = await anchorsOf(session, store, problems);
  await session.run("begin transaction isolation level repeatable read read only");
  const here = { store: map === null ? null : store!.url, newest: map?.refs.at(-1)?.id ?? 0 };
  const notes = [...said, ...checkElsewhere(elsewhere, here, problems)];
  const within = ({ id }: { readonly id: number }) => id >= from && (to === undefined || id <= to);
  const refs = map === null ? [] : map.refs.filter(within);
  const anchors = readAnchors(
    store!,
    { refs, notes: [], left: [] },
    { key: null, remembered: null, known: map?.refs ?? [] },
    problems,
  );
  let next = refs.length === 0 ? null : await following(anchors);
  let rows = 0;
  let written = 0;
  let head: ExportEnd["head"] = null;
  yield write.begin;
  for await (const batch of rowTexts(session, from, to ?? null)) {
    const lines: string[] = [];
    for (const row of batch) {
      lines.push(write.row(row));
      head = { id: row.id, hash: row.hash };
      for (; next !== null && next.document.id <= row.id; next = await following(anchors), written += 1)
        lines.push(write.anchor(next));
    }
    rows += batch.length;
    belay.report({ phase: "audit", message: "exporting", done: rows, unit: "rows" });
    yield lines.join("");
  }
  for (; next !== null; next = await following(anchors), written += 1) yield write.anchor(next);
  const found = [...notes, ...(map?.notes ?? []), ...problems.listed.map(({ message }) => message)];
  yield write.end({
    format: "belay-audit-export/1",
    from,
    rows,
    head,
    logHead: state.head,
    anchors: written,
    remembered: remembered === null ? null : { id: remembered.id, key: remembered.key, sha256: remembered.sha256 },
    source: state.source,
    store: store?.url ?? null,
    exportedAt: belay.now().toISOString(),
    exportedBy: belay.actor,
    notes: found,
  });
}

async function following(anchors: AsyncGenerator<Sealed<Anchor>>): Promise<Sealed<Anchor> | null> {
  const { value, done } = await anchors.next();
  return done ? null : value;
}

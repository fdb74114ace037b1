import { appendAudit } from "../audit.ts";
import type { Belay } from "../context.ts";
import { BelayError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import type { ObjectStore } from "../store/types.ts";
import { putAnchor, readAnchor } from "./anchor.ts";
import { anchoredIds, anchorKey, linePrefix, linesOf } from "./places.ts";
import { readState } from "./state.ts";
import { inTurn } from "./turn.ts";

/** What was left behind: anchors of rows above `above`, up to `newest`. */
export interface Continued {
  readonly above: number;
  readonly newest: number;
}

/** Longest time (ms) in which the anchors of a store are read. */
const readingMs = 600_000;

/**
 * Puts on record that the database was restored to an earlier moment, and begins a new line of anchors from there. The
 * anchors that are left stay in the store, and every verification tells of it. Throws `usage` when all anchors agree.
 */
export async function continueAfterRestore(belay: Belay, session: Session, reason: string): Promise<Continued> {
  const { store } = belay;
  return inTurn(
    session,
    async () => {
      const { source } = await readState(session, store.url);
      const line = (await linesOf(store, source)).at(-1);
      const prefix = line === undefined ? null : linePrefix(source, line);
      const ids = prefix === null ? [] : await anchoredIds(store, prefix);
      const agreed = await agreeing(session, store, prefix ?? "", ids);
      const newest = ids.at(-1);
      if (prefix === null || newest === undefined || agreed.length === ids.length)
        throw new BelayError("usage", "no anchor of this database speaks of another history", {
          hint: "Run `belay audit anchor` without --after-restore.",
        });
      const last = agreed.at(-1);
      const left = { prefix, above: last?.id ?? 0, newest, reason };
      await appendAudit(session, { actor: belay.actor, action: "audit.continued", subject: prefix, details: left });
      const { head, timeline } = await readState(session, store.url);
      const [counted] = await session.sql`select count(*)::float8 as rows from belay.audit_log`;
      const anchor = {
        format: "belay-anchor/1" as const,
        id: head!.id,
        hash: head!.hash,
        rows: counted!.rows,
        source,
        anchoredAt: belay.now().toISOString(),
        anchoredBy: belay.actor,
        previous: last ?? null,
        left,
      };
      const key = anchorKey(linePrefix(source, line! + 1), head!.id);
      const { note } = await putAnchor(belay, session, store, { anchor, key, timeline });
      if (note !== null) throw new BelayError("store_failed", note, { hint: "Run `belay audit verify`." });
      return { above: left.above, newest };
    },
    readingMs,
  );
}

interface Agreed {
  readonly id: number;
  readonly key: string;
  readonly sha256: string;
}

/** The anchors from the first on that the log agrees with, up to the first that it does not. */
async function agreeing(
  session: Session,
  store: ObjectStore,
  prefix: string,
  ids: readonly number[],
): Promise<Agreed[]> {
  const agreed: Agreed[] = [];
  for (const id of ids) {
    const key = anchorKey(prefix, id);
    const { document, sha256 } = await readAnchor(store, key);
    const [row] = await session.sql`select hash from belay.audit_log where id = ${id}`;
    if (row?.hash !== document.hash) break;
    agreed.push({ id, key, sha256 });
  }
  return agreed;
}

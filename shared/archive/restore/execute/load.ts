import { qualified } from "../../../catalog/identifiers.ts";
import type { Session } from "../../../postgres/session.ts";
import { restoreError } from "../errors.ts";
import type { Step } from "../plan/types.ts";
import type { RestoreContext } from "./context.ts";
import { createRowFeed } from "./feed.ts";
import { requireRows, takeRows } from "./rows.ts";
import { doneSql, halfLoadedSql } from "./state.ts";

export type RowsStep = Extract<Step, { kind: "rows" }>;

/** Stored bytes from which several sessions load one table; its rows then lie in another order. */
export const sharedFrom = 8 * 1024 * 1024;

/** One table's rows on their way in, through one session or several. */
export interface SharedLoad {
  /** Settles when all is committed; to be called once, first. */
  lead(session: Session): Promise<void>;
  /** Takes a share of the rows through another session; only while `open`. */
  help(session: Session): Promise<void>;
  readonly open: boolean;
}

/**
 * Loads one entry's rows. Every session has a transaction of its own, and none commits before the archive's data was
 * read to its end and found whole: damaged data leave the table empty.
 */
export function beginLoad(step: RowsStep, context: RestoreContext, onOpen: () => void): SharedLoad {
  const { entry } = step;
  const started = { bytes: 0, lead: false };
  const feed = createRowFeed(context.archive.data(entry), {
    onBytes: (count) => {
      started.bytes += count;
      context.onBytes(count);
    },
  });
  const shares: Promise<number>[] = [];
  const commits: Promise<void>[] = [];
  const verdict = Promise.withResolvers<void>();
  verdict.promise.catch(() => {});

  const take = async (session: Session) => {
    try {
      return await takeRows(session, entry, feed.share(), context.encoding);
    } catch (error) {
      const table = qualified(entry.namespace, entry.tag);
      const lines = shares.length === 1;
      const named = restoreError(error, { what: `the rows of ${table}`, table, lines, majors: context.majors });
      feed.fail(named);
      throw named;
    }
  };
  const share = (work: () => Promise<number>) => {
    const taken = work();
    taken.catch((error) => feed.fail(error));
    shares.push(taken);
    return taken;
  };
  const abandon = async (session: Session, error: unknown) => {
    feed.fail(error);
    if (session.alive) await session.run("ROLLBACK").catch(() => {});
    return restoreError(error, {
      what: `the rows of ${qualified(entry.namespace, entry.tag)}`,
      majors: context.majors,
    });
  };
  const lead = async (session: Session) => {
    try {
      if (context.state.halfLoaded.has(entry.dumpId)) await emptyAgain(session, step);
      await session.run("BEGIN");
      const own = share(() => take(session));
      started.lead = true;
      onOpen();
      // Who joins does so before the feed has ended: the list is whole when this share is taken.
      await own;
      const rows = (await Promise.all(shares)).reduce((sum, count) => sum + count, 0);
      requireRows(entry, rows, context.archive.manifest);
      verdict.resolve();
      await Promise.all(commits);
      const half = commits.length > 0 ? halfLoadedSql.end(entry.dumpId) : "";
      await session.run(`${half}${doneSql([{ dumpId: entry.dumpId, rows, bytes: started.bytes }])}COMMIT`);
      count(context, rows);
    } catch (error) {
      verdict.reject(error);
      throw await abandon(session, error);
    }
  };
  const help = async (session: Session) => {
    const committed = Promise.withResolvers<void>();
    committed.promise.catch(() => {});
    commits.push(committed.promise);
    try {
      await share(async () => {
        await session.run(halfLoadedSql.begin(entry.dumpId));
        await session.run("BEGIN");
        return take(session);
      });
      await verdict.promise;
      await session.run("COMMIT");
      committed.resolve();
    } catch (error) {
      committed.reject(error);
      throw await abandon(session, error);
    }
  };
  return {
    lead,
    help,
    get open() {
      return started.lead && step.own && step.bytes >= sharedFrom && entry.copyStmt !== null && !feed.ended;
    },
  };
}

export function count({ counts }: RestoreContext, rows: number): void {
  counts.entries += 1;
  counts.tables += 1;
  counts.rows += rows;
}

/** Before a cut-off restore some of several sessions may have committed their share. */
async function emptyAgain(session: Session, { entry }: RowsStep): Promise<void> {
  const table = qualified(entry.namespace, entry.tag);
  await session.run(`BEGIN; TRUNCATE ONLY ${table}; ${halfLoadedSql.end(entry.dumpId)} COMMIT`);
}

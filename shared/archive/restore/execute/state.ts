import { createHash } from "node:crypto";
import { BelayError } from "../../../errors.ts";
import type { Session } from "../../../postgres/session.ts";
import type { TocArchive } from "../../read/types.ts";
import type { RestoreOptions } from "../types.ts";

/** What of a restore is done; it lives in the target, in a schema that the last commit drops. */
export interface RestoreState {
  readonly resumed: boolean;
  /** Rows and bytes by dumpId, of entries whose work is committed. */
  readonly done: ReadonlyMap<number, { readonly rows: number; readonly bytes: number }>;
  /** dumpIds of rows that several sessions loaded, of which only some may have committed. */
  readonly halfLoaded: ReadonlySet<number>;
}

export interface DoneEntry {
  readonly dumpId: number;
  readonly rows?: number;
  readonly bytes?: number;
}

/** Which archive is restored and how: what must be the same to go on. */
interface Run {
  readonly fingerprint: string;
  readonly options: string;
}

export const stateSchema = "belay_restore";
const lockKey = 7_204_616_133; // any number that only restores use
const waitForOldSessionsMs = 30_000;

/** What was begun, and when; null when the database holds no unfinished restore. */
export async function readUnfinished(
  session: Session,
): Promise<(Run & { readonly archive: string; readonly begunAt: string }) | null> {
  const [there] = await session.sql`select pg_catalog.to_regclass(${`${stateSchema}.run`}) is not null as found`;
  if (there!.found !== true) return null;
  const [run] = await session.run(`select fingerprint, options, archive, begun_at::text from ${stateSchema}.run`);
  return run === undefined
    ? null
    : { fingerprint: run.fingerprint, options: run.options, archive: run.archive, begunAt: run.begun_at };
}

export async function beginState(
  session: Session,
  archive: TocArchive,
  options: RestoreOptions,
): Promise<RestoreState> {
  await session.run(`BEGIN; CREATE SCHEMA ${stateSchema};
    CREATE TABLE ${stateSchema}.run (archive text, fingerprint text, options text, begun_at timestamptz default now());
    CREATE TABLE ${stateSchema}.done (dump_id integer, rows bigint, bytes bigint);
    CREATE TABLE ${stateSchema}.half_loaded (dump_id integer);`);
  const run = runOf(archive, options);
  await session.sql`insert into belay_restore.run (archive, fingerprint, options) values (${archive.place.url}, ${run.fingerprint}, ${run.options})`;
  await session.run("COMMIT");
  return { resumed: false, done: new Map(), halfLoaded: new Set() };
}

/** Throws `restore_target` when there is nothing to go on with, or when another archive or other options were begun. */
export async function resumeState(
  session: Session,
  archive: TocArchive,
  options: RestoreOptions,
): Promise<RestoreState> {
  const begun = await readUnfinished(session);
  const run = runOf(archive, options);
  if (begun === null)
    throw refused(
      "there is no unfinished restore in the database",
      "Run the same command without --resume, and without --create: the database is there.",
    );
  if (begun.fingerprint !== run.fingerprint)
    throw refused(
      `the unfinished restore in the database is of another archive: ${begun.archive}`,
      "Go on with that archive, or drop the database and begin again.",
    );
  if (begun.options !== run.options)
    throw refused(
      "the unfinished restore in the database was begun with other flags",
      `Give the same again (${begun.options}), or drop the database and begin again.`,
    );
  const done = await session.run(`select dump_id, rows::float8, bytes::float8 from ${stateSchema}.done`);
  const half = await session.run(`select dump_id from ${stateSchema}.half_loaded`);
  return {
    resumed: true,
    done: new Map(done.map(({ dump_id, rows, bytes }) => [dump_id, { rows: rows ?? 0, bytes: bytes ?? 0 }])),
    halfLoaded: new Set(half.map(({ dump_id }) => dump_id as number)),
  };
}

/** SQL that puts entries on record as done: for the transaction of their work. */
export function doneSql(entries: readonly DoneEntry[]): string {
  if (entries.length === 0) return "";
  const rows = entries.map(({ dumpId, rows = 0, bytes = 0 }) => `(${dumpId},${rows},${bytes})`);
  return `INSERT INTO ${stateSchema}.done VALUES ${rows.join(",")};`;
}

/** SQL around loading one table through several sessions, whose commits are several. */
export const halfLoadedSql = {
  begin: (dumpId: number) => `INSERT INTO ${stateSchema}.half_loaded VALUES (${dumpId})`,
  end: (dumpId: number) => `DELETE FROM ${stateSchema}.half_loaded WHERE dump_id = ${dumpId};`,
};

/**
 * Waits until no session of an earlier restore is at work in the database, and keeps others out for as long as
 * sessions live that call shareRestore. Throws `restore_target` when one goes on.
 */
export async function claimRestore(session: Session, report: (message: string) => void): Promise<void> {
  for (let waited = 0; ; waited += 250) {
    const [row] = await session.run(`select pg_catalog.pg_try_advisory_lock(${lockKey}) as got`);
    if (row!.got === true) break;
    if (waited >= waitForOldSessionsMs)
      throw refused(
        "another restore is at work in the database",
        "Wait for its end, or end its sessions (application_name `belay restore`).",
      );
    if (waited === 1000) report("waiting for the sessions of an earlier restore to end");
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  await shareRestore(session);
  await session.run(`select pg_catalog.pg_advisory_unlock(${lockKey})`);
}

export async function shareRestore(session: Session): Promise<void> {
  await session.run(`select pg_catalog.pg_advisory_lock_shared(${lockKey})`);
}

function runOf(archive: TocArchive, options: RestoreOptions): Run {
  const { owners = true, grants = true, rows = true, tables } = options;
  const hash = createHash("sha256").update(archive.manifest?.id ?? "");
  for (const entry of archive.toc.entries)
    hash.update(JSON.stringify([entry.dumpId, entry.desc, entry.namespace, entry.tag, entry.defn, entry.copyStmt]));
  const flags = [
    ...(owners ? [] : ["--no-owner"]),
    ...(grants ? [] : ["--no-acl"]),
    ...(rows ? [] : ["--schema-only"]),
    ...[...(tables ?? [])].sort().map((name) => `--table ${name}`),
  ];
  return { fingerprint: hash.digest("hex"), options: flags.join(" ") || "no flags" };
}

function refused(message: string, hint: string): BelayError {
  return new BelayError("restore_target", message, { hint, details: { reason: "unfinished" } });
}

import { listArchives, readManifest } from "../shared/archive/list.ts";
import { archiveKey, manifestFile } from "../shared/archive/names.ts";
import type { Manifest } from "../shared/archive/types.ts";
import type { Belay } from "../shared/context.ts";
import { BelayError } from "../shared/errors.ts";
import { belayInstalled } from "../shared/install.ts";
import { identityOf, sameDatabase } from "../shared/postgres/identity.ts";
import type { Session } from "../shared/postgres/session.ts";
import type { Measurement, RunbookFacts } from "./plan.ts";

/** Reads all that the plan of a full restore rests on; changes nothing. */
export async function gatherFacts(
  belay: Belay,
  live: Session,
  wanted: { readonly archiveId: string; readonly sameServer: boolean; readonly id: string },
): Promise<RunbookFacts> {
  const dumps = (await listArchives(belay.store)).filter(({ purpose }) => purpose === "dump");
  const archiveId = wanted.archiveId === "latest" ? dumps[0]?.id : wanted.archiveId;
  if (archiveId === undefined) throw noBackup(belay);
  const manifest = await readManifest(belay.store, archiveId);
  requireWholeDatabase(manifest);
  const [row] = await live.sql`
    select current_database() as name, pg_catalog.pg_database_size(current_database())::float8 as bytes,
      exists (select from pg_catalog.pg_db_role_setting s join pg_catalog.pg_database d on d.oid = s.setdatabase
        where d.datname = current_database() and s.setrole = 0
          and 'default_transaction_read_only=on' = any (s.setconfig)) as stopped`;
  if (wanted.sameServer) await requireSwitchable(live, row!.name);
  return {
    id: wanted.id,
    now: belay.now(),
    manifest,
    live: row!.name,
    sameServer: wanted.sameServer,
    ownBackup: sameDatabase(await identityOf(live), manifest.source),
    measured: await readMeasurement(belay, live, manifest),
    databaseBytes: row!.bytes,
    dumpSeconds: await readDumpSeconds(belay, manifest),
    leftOver: await readLeftOver(live, row!.name),
    stopped: row!.stopped,
    newerArchives: dumps.filter(({ snapshotAt }) => snapshotAt > manifest.snapshotAt).length,
  };
}

function requireWholeDatabase(manifest: Manifest): void {
  if (manifest.purpose === "dump") return;
  throw new BelayError("usage", `${manifest.id} holds what one ${manifest.purpose} replaced, not a whole database`, {
    hint: "List the whole-database archives with `belay archives list`; a rollback is reversed with `belay undo`.",
  });
}

/** Renaming needs a database that we own and whose clients we may end: a hosted platform's own services are not such. */
async function requireSwitchable(live: Session, database: string): Promise<void> {
  const [row] = await live.sql`
    select
      exists (select from pg_catalog.pg_roles where rolname = current_user and rolsuper) as superuser,
      pg_catalog.pg_has_role(d.datdba, 'USAGE')
        and exists (select from pg_catalog.pg_roles where rolname = current_user and rolcreatedb) as owner,
      exists (select from pg_catalog.pg_namespace where nspname = 'auth'
        and pg_catalog.pg_get_userbyid(nspowner) in ('supabase_admin', 'supabase_auth_admin')) as platform
    from pg_catalog.pg_database d where d.datname = current_database()`;
  if (row!.platform)
    throw new BelayError(
      "usage",
      `${database} is a Supabase project's database: it can't be renamed under its services`,
      {
        hint: "Make a new project, and pass its database as --into URL: the copy is restored there, and the application pointed to it.",
      },
    );
  if (row!.superuser || row!.owner) return;
  throw new BelayError("usage", `the role may not rename ${database}: it needs to own it, and CREATEDB`, {
    hint: "Connect as the database's owner, or restore beside it with --into URL on another server.",
  });
}

/** The newest passed drill of a whole-database archive that is still there: how long its restore and its checks took. */
async function readMeasurement(belay: Belay, live: Session, manifest: Manifest): Promise<Measurement | null> {
  if (!(await belayInstalled(live))) return null;
  const drills = await live.sql<
    { id: string; archive: string; at: Date; phases: { name: string; milliseconds: number }[] }[]
  >`
    select id::text as id, archive_id as archive, finished_at as at, phases from belay.drills
    where verdict = 'pass' and finished_at is not null and archive_id like 'dump-%'
    order by (archive_id = ${manifest.id}) desc, finished_at desc limit 5`;
  for (const drill of drills) {
    const drilled = await readManifest(belay.store, drill.archive).catch(() => null);
    if (drilled === null) continue;
    const seconds = (name: string) => (drill.phases.find((phase) => phase.name === name)?.milliseconds ?? 0) / 1000;
    return {
      drillId: drill.id,
      finishedAt: drill.at.toISOString(),
      rawBytes: drilled.tables.reduce((sum, table) => sum + table.rawBytes, 0),
      restoreSeconds: seconds("restore"),
      checkSeconds: seconds("check"),
    };
  }
  return null;
}

/** From the snapshot to the manifest, which was written last. */
async function readDumpSeconds(belay: Belay, manifest: Manifest): Promise<number | null> {
  const written = (await belay.store.head(archiveKey(manifest.id, manifestFile)))?.modified;
  const seconds = written ? (written.getTime() - Date.parse(manifest.snapshotAt)) / 1000 : -1;
  return seconds < 0 ? null : seconds;
}

async function readLeftOver(live: Session, database: string): Promise<string[]> {
  const rows = await live.sql<{ name: string }[]>`
    select datname as name from pg_catalog.pg_database
    where starts_with(datname, ${`${database}_restored_`}) or starts_with(datname, ${`${database}_before_`}) order by 1`;
  return rows.map(({ name }) => name);
}

function noBackup(belay: Belay): BelayError {
  return new BelayError("unknown_archive", `there is no whole-database archive in ${belay.store.url}`, {
    hint: "Check --store or BELAY_STORE. Without a backup a full restore is not possible; `belay undo` reverses a rollback.",
  });
}

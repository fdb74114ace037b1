import type { Manifest } from "../shared/archive/types.ts";
import type { RunbookPlan, Step, StepName } from "./types.ts";

/** What was measured before on this data: by the newest passed drill of such an archive. */
export interface Measurement {
  readonly drillId: string;
  readonly finishedAt: string;
  readonly rawBytes: number;
  readonly restoreSeconds: number;
  readonly checkSeconds: number;
}

export interface RunbookFacts {
  readonly id: string;
  readonly now: Date;
  readonly manifest: Manifest;
  /** Name of the database that the application uses. */
  readonly live: string;
  readonly sameServer: boolean;
  /** Whether the backup is of this very database, and not of another one. */
  readonly ownBackup: boolean;
  readonly measured: Measurement | null;
  /** Bytes that today's database takes. */
  readonly databaseBytes: number;
  readonly newerArchives: number;
}

/** Longest name of a database, in bytes. */
const longestName = 63;

/** The full restore as data: what will be done, in which order, and how long it takes by what was measured. */
export function planFullRestore(facts: RunbookFacts): RunbookPlan {
  const { manifest, live, sameServer, now } = facts;
  return {
    archiveId: manifest.id,
    snapshotAt: manifest.snapshotAt,
    ageSeconds: Math.max(0, Math.round((now.getTime() - Date.parse(manifest.snapshotAt)) / 1000)),
    live,
    restored: namedAfter(live, "restored", facts.id),
    aside: namedAfter(live, "before", facts.id),
    sameServer,
    steps: steps(facts),
    notes: notes(facts),
  };
}

/** `app_restored_<id>`, shortened in front of the suffix where a database's name would be too long. */
function namedAfter(live: string, suffix: string, id: string): string {
  const end = `_${suffix}_${id}`;
  let start = live;
  while (new TextEncoder().encode(start + end).length > longestName) start = start.slice(0, -1);
  return start + end;
}

function steps({ manifest, live, sameServer, measured, id }: RunbookFacts): Step[] {
  const raw = rawBytes(manifest);
  const scale = measured === null || measured.rawBytes === 0 ? null : raw / measured.rawBytes;
  const basis = measured === null ? null : `the drill of ${measured.finishedAt.slice(0, 10)}`;
  const expect = (seconds: number | undefined) =>
    scale === null || seconds === undefined ? null : Math.ceil(seconds * Math.max(scale, 0.01));
  const step = (name: StepName, what: string, downtime: boolean, seconds?: number): Step => {
    const expectedSeconds = expect(seconds);
    return { name, what, downtime, expectedSeconds, basis: expectedSeconds === null ? null : basis };
  };
  const restored = namedAfter(live, "restored", id);
  return [
    step("archive_today", `archive ${live} as it is now, read back and verified`, false),
    step("list_newer", "list the tables that changed since the backup, by the digests of both archives", false),
    step(
      "restore_beside",
      `restore ${manifest.id} into ${sameServer ? `the new database ${restored} on the same server` : "the other server"}`,
      false,
      measured?.restoreSeconds,
    ),
    step(
      "check",
      "compare the restored copy with the manifest: tables, counts, digests, catalog, sequences, foreign keys",
      false,
      measured?.checkSeconds,
    ),
    step("stop_writers", `make ${live} read only and end its sessions`, true),
    step("export_newer", "write the rows that the backup lacks, or has otherwise, to the store as CSV", true),
    step(
      "switch_over",
      sameServer
        ? `rename ${live} to ${namedAfter(live, "before", id)} and ${restored} to ${live}, in one transaction`
        : "point the application to the restored database",
      true,
    ),
    step(
      "verify",
      "look at the database under its live name: the restored one, with all rows, and it can be written to",
      true,
    ),
  ];
}

function notes({ ownBackup, newerArchives, manifest, measured, databaseBytes, sameServer }: RunbookFacts): string[] {
  const found: string[] = [];
  if (!ownBackup) found.push(`the archive is of the database ${manifest.source.database} elsewhere, not of this one`);
  if (newerArchives > 0) found.push(`${newerArchives} newer whole-database archive(s) exist than ${manifest.id}`);
  if (measured === null) found.push("how long it takes was never measured: `belay drill` measures it");
  if (sameServer) found.push(`the server needs room for a second copy: today's database takes ${databaseBytes} bytes`);
  return found;
}

export function rawBytes(manifest: Manifest): number {
  return manifest.tables.reduce((sum, table) => sum + table.rawBytes, 0);
}

import type { Manifest } from "../shared/archive/types.ts";
import { allowWritersSql } from "./sql.ts";
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
  /** How long the backup took when it was made, by the store's clock; null when that can't be told. */
  readonly dumpSeconds: number | null;
  /** Databases that earlier full restores left. */
  readonly leftOver: readonly string[];
  /** Whether new sessions of the live database can only read already. */
  readonly stopped: boolean;
}

/** Longest name of a database, in bytes. */
const longestName = 63;

/** The full restore as data: what will be done, in which order, and how long it takes by what was measured. */
export function planFullRestore(facts: RunbookFacts): RunbookPlan {
  const { manifest, live, sameServer, now } = facts;
  return {
    id: facts.id,
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

function steps(facts: RunbookFacts): Step[] {
  const { manifest, live, sameServer } = facts;
  const [restoring, checking] = [fromDrill(facts, "restoreSeconds"), fromDrill(facts, "checkSeconds")];
  const step = (name: StepName, what: string, downtime: boolean, expected: Expected): Step => {
    return { name, what, downtime, ...expected };
  };
  return [
    step("archive_today", `archive ${live} as it is now, read back and verified`, false, fromDump(facts)),
    step("list_newer", "list the tables that changed since the backup, by the digests of both archives", false, moment),
    step(
      "restore_beside",
      `restore ${manifest.id} ${sameServer ? "beside it" : "on the other server"}`,
      false,
      restoring,
    ),
    step(
      "check",
      "compare the copy with its manifest: tables, counts, digests, catalog, sequences, keys",
      false,
      checking,
    ),
    step("stop_writers", `make ${live} read only and end its sessions`, true, moment),
    step("export_newer", "write the rows that the copy lacks, or has otherwise, to the store as CSV", true, unknowable),
    step(
      "switch_over",
      sameServer ? "give the copy the live name, in one transaction" : "point the application to the copy",
      true,
      sameServer ? moment : byHand,
    ),
    step("verify", "look at it under its live name: all rows there, and it can be written to", true, moment),
  ];
}

type Expected = Pick<Step, "expectedSeconds" | "basis">;

const moment: Expected = { expectedSeconds: 1, basis: "does not depend on size" };
const byHand: Expected = { expectedSeconds: null, basis: "by hand" };
const unknowable: Expected = { expectedSeconds: null, basis: "depends on how much changed" };
const notMeasured: Expected = { expectedSeconds: null, basis: "not measured" };

/** By the newest passed drill, in proportion to the rows' bytes. */
function fromDrill({ manifest, measured }: RunbookFacts, what: "restoreSeconds" | "checkSeconds"): Expected {
  if (measured === null || measured.rawBytes === 0) return notMeasured;
  const seconds = measured[what] * (rawBytes(manifest) / measured.rawBytes);
  return {
    expectedSeconds: Math.max(1, Math.ceil(seconds)),
    basis: `the drill of ${measured.finishedAt.slice(0, 10)}`,
  };
}

function fromDump({ dumpSeconds }: RunbookFacts): Expected {
  if (dumpSeconds === null) return notMeasured;
  return { expectedSeconds: Math.max(1, Math.ceil(dumpSeconds)), basis: "as long as the backup took" };
}

function notes(facts: RunbookFacts): string[] {
  const { ownBackup, newerArchives, manifest, measured, databaseBytes, sameServer, leftOver, stopped, live } = facts;
  const found: string[] = [];
  if (!ownBackup) found.push(`the archive is of the database ${manifest.source.database} elsewhere, not of this one`);
  if (newerArchives > 0) found.push(`${newerArchives} whole-database archives are newer than ${manifest.id}`);
  if (measured === null) found.push("how long a restore takes was never measured: `belay drill` does");
  if (sameServer) found.push(`the server needs room for the copy: today's database takes ${megabytes(databaseBytes)}`);
  if (stopped)
    found.push(`${live} is read only, perhaps since a full restore that was cut off: ${allowWritersSql(live)}`);
  for (const name of leftOver)
    found.push(`the database ${name} is left of an earlier full restore; drop it when nobody needs it`);
  return found;
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000_000).toLocaleString("en-US")} MB`;
}

export function rawBytes(manifest: Manifest): number {
  return manifest.tables.reduce((sum, table) => sum + table.rawBytes, 0);
}

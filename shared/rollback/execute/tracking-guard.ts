import { qualified } from "../../catalog/identifiers.ts";
import { trackedRows } from "../../migrations/tracking/rows.ts";
import { sameVersion } from "../../migrations/tracking/tables.ts";
import type { TrackingTable } from "../../migrations/types.ts";
import type { Session } from "../../postgres/session.ts";
import type { Account } from "../guard/account.ts";
import type { Violation } from "../guard/types.ts";
import { trackingTable } from "../transaction/ledger-step.ts";

/** The rows by which the team's tool knows what it applied, as they are at one moment. */
export interface Tracked {
  readonly table: TrackingTable;
  readonly oid: number;
  readonly rows: readonly TrackedRow[];
}

export interface TrackedRow {
  readonly version: string;
  /** The whole row as JSON text. */
  readonly row: string;
}

/** Reads the tool's table; null without any. */
export async function readTracked(session: Session, version: string): Promise<Tracked | null> {
  const table = await trackingTable(session, version);
  if (table === null) return null;
  const name = qualified(table.schema, table.table);
  const rows = await trackedRows(session, table);
  const [at] = await session.sql`select ${name}::regclass::oid::int8::text as oid`;
  return { table, oid: Number(at!.oid), rows: rows.map(({ version, row }) => ({ version, row })) };
}

/** Rows of the given versions that the rollback SQL itself took out. */
export function ownRowsRemoved(before: Tracked, after: Tracked | null, versions: readonly string[]): TrackedRow[] {
  const left = new Set(after?.rows.map(({ row }) => row));
  return before.rows.filter(({ row, version }) => !left.has(row) && versions.some((own) => sameVersion(own, version)));
}

/** Rollback SQL may take its own rows out of the tool's table, and change nothing else in it. */
export function judgeTracked(
  before: Tracked,
  after: Tracked | null,
  accounts: { readonly before: Account; readonly after: Account },
  versions: readonly string[],
): Violation[] {
  // Dropped or replaced: the guard judges that as of any other table.
  if (after === null || after.oid !== before.oid) return [];
  const left = new Set(after.rows.map(({ row }) => row));
  const own = before.table.tool === "golang-migrate" ? [] : ownRowsRemoved(before, after, versions);
  const lost = before.rows.filter((row) => !left.has(row.row) && !own.includes(row));
  const [was, is] = [accounts.before.counters.get(before.oid), accounts.after.counters.get(before.oid)];
  const written = (is?.inserted ?? 0) > (was?.inserted ?? 0) || (is?.updated ?? 0) > (was?.updated ?? 0);
  if (lost.length === 0 && !written) return [];
  return [
    {
      subject: qualified(before.table.schema, before.table.table),
      oid: before.oid,
      what: `${before.table.tool}'s record of other migrations changed`,
      curable: false,
    },
  ];
}

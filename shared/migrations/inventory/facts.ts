import { belayInstalled } from "../../install.ts";
import type { Session } from "../../postgres/session.ts";
import { sha256 } from "../layouts/source.ts";
import { readLedger } from "../ledger/ledger.ts";
import { chainKeys } from "../prove/chain-key.ts";
import type { Proof } from "../prove/types.ts";
import type { MigrationFolder, MigrationStatus } from "../types.ts";
import type { InventoryProof } from "./inventory.ts";

const servers = [15, 16, 17, 18].flatMap((major) => [String(major), `embedded-${major}`]);
const mostRows = 10;

/** The newest proof of each migration's very SQL among those that `belay prove` kept; `stale` where they are of another text. */
export function proofsOfFile(
  folder: MigrationFolder,
  proofs: readonly Proof[],
  setupSql: string | null,
): Map<string, InventoryProof | "stale"> {
  const byChain = new Map(proofs.map((proof) => [proof.chain, proof]));
  const known = new Set(proofs.map(({ migration }) => migration));
  const found = new Map<string, InventoryProof | "stale">();
  for (const { name } of folder.migrations) if (known.has(name)) found.set(name, "stale");
  for (const server of servers)
    for (let seedRows = 0; seedRows <= mostRows; seedRows++)
      for (const [index, chain] of chainKeys(folder.migrations, { server, setupSql, seedRows, seed: 1 }).entries()) {
        const proof = byChain.get(chain);
        if (proof !== undefined) keepNewest(found, folder.migrations[index]!.name, inventoryProof(proof));
      }
  return found;
}

function inventoryProof({ verdict, at, loses, with_rows }: Proof): InventoryProof {
  const names = loses.map(({ schema, table, columns }) =>
    columns === null ? `${schema}.${table}` : columns.map((column) => `${schema}.${table}.${column}`).join(", "),
  );
  return { verdict, at, loses: with_rows === null ? [] : [...new Set(names)].sort() };
}

function keepNewest(found: Map<string, InventoryProof | "stale">, name: string, proof: InventoryProof): void {
  const other = found.get(name);
  if (other === undefined || other === "stale" || other.at < proof.at) found.set(name, proof);
}

/** Proofs and statuses on record in a database; statuses are null where Belay is not installed. */
export async function recordedFacts(
  session: Session,
  folder: MigrationFolder,
): Promise<{ proofs: Map<string, InventoryProof | "stale">; statuses: Map<string, MigrationStatus> | null }> {
  if (!(await belayInstalled(session))) return { proofs: new Map(), statuses: null };
  const ledger = await readLedger(session);
  const rows = await session.sql`
    select migration_name as name, checksum, rollback_checksum, verdict, created_at from belay.proofs order by created_at`;
  const byName = new Map(folder.migrations.map((migration) => [migration.name, migration]));
  const proofs = new Map<string, InventoryProof | "stale">();
  for (const row of rows) {
    const migration = byName.get(row.name);
    if (migration === undefined) continue;
    const { checksum, rollback } = migration;
    const same =
      row.checksum === checksum && row.rollback_checksum === (rollback === null ? null : sha256(rollback.sql));
    if (same) proofs.set(row.name, { verdict: row.verdict, at: row.created_at.toISOString(), loses: [] });
    else if (!proofs.has(row.name)) proofs.set(row.name, "stale");
  }
  return { proofs, statuses: new Map(ledger.map(({ name, status }) => [name, status])) };
}

/** Facts of two sources: a proof of this very SQL goes before none, and the newer one before the older. */
export function mergeProofs(
  one: ReadonlyMap<string, InventoryProof | "stale">,
  other: ReadonlyMap<string, InventoryProof | "stale">,
): Map<string, InventoryProof | "stale"> {
  const merged = new Map(one);
  for (const [name, proof] of other)
    if (proof === "stale") merged.set(name, merged.get(name) ?? "stale");
    else keepNewest(merged, name, proof);
  return merged;
}

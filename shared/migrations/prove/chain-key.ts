import { sha256 } from "../layouts/source.ts";
import type { Migration } from "../types.ts";
import { rollbackText } from "./subject.ts";
import { groupOf } from "./unit.ts";

/** Changes when the same SQL may get another proof: a proof of an older format is made again. */
const format = 2;

/** All besides the SQL that a proof rests on. */
export interface ChainSettings {
  /** Major version of the server, with where it comes from when that decides which extensions it has. */
  readonly server: string;
  readonly setupSql: string | null;
  readonly seedRows: number;
  readonly seed: number;
}

/**
 * Each migration's sha256 over all forward SQL up to it (to the last of those that the same rollback reverses), its
 * rollback SQL and the settings.
 */
export function chainKeys(migrations: readonly Migration[], settings: ChainSettings): string[] {
  const forward = forwardKeys(migrations, settings);
  const lastOf = new Map(migrations.map((migration, index) => [groupOf(migration), index]));
  return migrations.map((migration) => {
    const last = forward[lastOf.get(groupOf(migration))!]!;
    const place = migration.rollback ?? migration.emptyRollback;
    const where = `${place?.file ?? ""}:${place?.line ?? 0}`;
    const text = rollbackText(migration);
    return sha256(last, migration.name, text === null ? "none" : `some ${text}`, where, downMode(migration));
  });
}

// Names and places are part of what a proof says.
function forwardKeys(migrations: readonly Migration[], { server, setupSql, seedRows, seed }: ChainSettings): string[] {
  let key = sha256(String(format), server, setupSql ?? "", String(seedRows), seedRows > 0 ? String(seed) : "");
  return migrations.map(({ name, file, layout, forwardSql, transactional }) => {
    key = sha256(key, name, file, layout, forwardSql, String(transactional.up));
    return key;
  });
}

function downMode({ transactional }: Migration): string {
  return String(transactional.down);
}

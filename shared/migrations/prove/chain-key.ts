import { sha256 } from "../layouts/source.ts";
import type { Migration } from "../types.ts";
import { rollbackText } from "./subject.ts";

/** Changes when the same SQL may get another proof: a proof of an older format is made again. */
const format = 1;

/** All besides the SQL that a proof rests on. */
export interface ChainSettings {
  /** Major version of the server, with where it comes from when that decides which extensions it has. */
  readonly server: string;
  readonly setupSql: string | null;
  readonly seedRows: number;
  readonly seed: number;
}

/** Each migration's sha256 over all forward SQL up to it, its rollback SQL and the settings. */
export function chainKeys(
  migrations: readonly Migration[],
  { server, setupSql, seedRows, seed }: ChainSettings,
): string[] {
  let forward = sha256(String(format), server, setupSql ?? "", String(seedRows), seedRows > 0 ? String(seed) : "");
  return migrations.map((migration) => {
    // Names and places are part of what a proof says.
    const { name, file, layout, forwardSql, transactional } = migration;
    forward = sha256(forward, name, file, layout, forwardSql, String(transactional.up));
    const place = migration.rollback ?? migration.emptyRollback;
    const where = `${place?.file ?? ""}:${place?.line ?? 0}`;
    return sha256(forward, rollbackText(migration) ?? "none", where, String(transactional.down));
  });
}

import type { LayoutName, Migration } from "../types.ts";
import { readScript, type Script } from "./script.ts";

/** A migration with its SQL ready to run. */
export interface Subject {
  readonly migration: Migration;
  readonly up: Script;
  /** Blank: its file or section is there and holds no SQL. null: there is none. */
  readonly down: Script | null;
  readonly chain: string;
}

/** The rollback SQL of a migration: "" where its file or section holds none, null where there is no such place. */
export function rollbackText({ rollback, emptyRollback }: Migration): string | null {
  return rollback?.sql ?? (emptyRollback === null ? null : "");
}

export function subjectOf(migration: Migration, chain: string): Subject {
  const { file, forwardSql, transactional } = migration;
  // A published migration has been applied, so its own tool let it run; nobody may ever have run its rollback.
  const up = readScript(forwardSql, { file, line: 1 }, { transactional: transactional.up });
  return { migration, up, down: readDown(migration, up), chain };
}

function readDown(migration: Migration, up: Script): Script | null {
  const { rollback, emptyRollback, transactional, layout } = migration;
  const sql = rollbackText(migration);
  if (sql === null) return null;
  const place = rollback ?? emptyRollback!;
  const strict = (statements: number) => up.mode !== "statements" && staysInTransaction(layout, statements);
  return readScript(sql, { file: place.file, line: place.line }, { transactional: transactional.down, strict });
}

/** Tools that run a file in one transaction, or send it as one query, whatever is in it; the others go by the SQL, or a person runs it with psql. */
function staysInTransaction(layout: LayoutName, statements: number): boolean {
  if (layout === "up-down-pair") return statements > 1;
  return layout === "dbmate" || layout === "goose" || layout === "sql-migrate" || layout === "folder-pair";
}

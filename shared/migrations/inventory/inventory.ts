import { isBelayError } from "../../errors.ts";
import type { Risk } from "../../rollback/types.ts";
import { parseSql, type SqlNode, type Statement } from "../../sql/parse.ts";
import type { ProofVerdict } from "../prove/types.ts";
import { purposeOf } from "../purpose.ts";
import { type LossNotes, lossNotes, nameOf, objectsOf } from "../template/loss.ts";
import { riskOfText } from "../template/risk.ts";
import type { Migration, MigrationFolder, MigrationStatus } from "../types.ts";

/** One row of the table of rollbacks. */
export interface InventoryRow {
  readonly migration: string;
  readonly version: string;
  readonly purpose: string;
  /** Where its rollback SQL is; null without any. */
  readonly rollbackFile: string | null;
  /** Other migrations that the same SQL reverses. */
  readonly reversesToo: readonly string[];
  /** Objects and columns that the rollback drops, by their words in its SQL. */
  readonly drops: readonly string[];
  readonly destroys: readonly string[];
  readonly notBroughtBack: readonly string[];
  /** Judged by the text; null without rollback SQL, or where it does not parse. */
  readonly risk: Risk | null;
  readonly riskReasons: readonly string[];
  /** Why its SQL cannot be read; null when it can. */
  readonly problem: string | null;
  /** Of this very SQL; `stale`: there are proofs, but of another text. */
  readonly proof: InventoryProof | "stale" | null;
  /** By the ledger; null without a database. */
  readonly status: MigrationStatus | "pending" | null;
}

export interface InventoryProof {
  readonly verdict: ProofVerdict | (string & {});
  /** ISO 8601. */
  readonly at: string;
  /** Tables and columns whose rows were lost, where it was proved with rows. */
  readonly loses: readonly string[];
}

/** What is known of a migration besides its files. */
export interface InventoryFacts {
  readonly proofs: ReadonlyMap<string, InventoryProof | "stale">;
  /** Statuses by name; null without a database. */
  readonly statuses: ReadonlyMap<string, MigrationStatus> | null;
}

/** The table of a folder's rollbacks, in version order. */
export function inventoryOf(folder: MigrationFolder, { proofs, statuses }: InventoryFacts): InventoryRow[] {
  return folder.migrations.map((migration) => {
    const { name, version, rollback } = migration;
    return {
      migration: name,
      version,
      purpose: purposeOf(migration),
      rollbackFile: rollback?.file ?? null,
      reversesToo: rollback?.reverses.filter((other) => other !== name) ?? [],
      ...readText(migration),
      proof: proofs.get(name) ?? null,
      status: statuses === null ? null : (statuses.get(name) ?? "pending"),
    };
  });
}

type TextFacts = Pick<InventoryRow, "drops" | "risk" | "riskReasons" | "problem"> & Omit<LossNotes, "failsOn">;

function readText({ rollback, forwardSql }: Migration): TextFacts {
  const nothing = { drops: [], risk: null, riskReasons: [], destroys: [], notBroughtBack: [] };
  if (rollback === null) return { ...nothing, problem: null };
  try {
    const statements = parseSql(rollback.sql, { file: rollback.file, line: rollback.line });
    const notes = lossNotes(statements, forwardSql);
    const { risk, reasons } = riskOfText(statements, notes);
    const { destroys, notBroughtBack } = notes;
    return { drops: statements.flatMap(dropsOf), risk, riskReasons: reasons, destroys, notBroughtBack, problem: null };
  } catch (error) {
    if (!isBelayError(error, "sql_syntax")) throw error;
    return { ...nothing, problem: error.message.split("\n", 1)[0]! };
  }
}

function dropsOf({ kind, node }: Statement): string[] {
  if (kind === "DropStmt") {
    const word = String(node.removeType)
      .replace(/^OBJECT_/, "")
      .replaceAll("_", " ")
      .toLowerCase();
    return objectsOf(node).map((name) => `${words[word] ?? word} ${name}`);
  }
  if (kind !== "AlterTableStmt") return [];
  const table = nameOf(node.relation as SqlNode);
  return ((node.cmds ?? []) as { AlterTableCmd?: SqlNode }[]).flatMap(({ AlterTableCmd: command }) => {
    const what = parts[String(command?.subtype)];
    return what === undefined ? [] : [`${what} ${table}.${String(command!.name)}`];
  });
}

const words: Readonly<Record<string, string>> = { matview: "materialized view" };
const parts: Readonly<Record<string, string>> = { AT_DropColumn: "column", AT_DropConstraint: "constraint" };

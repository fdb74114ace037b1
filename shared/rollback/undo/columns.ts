import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";
import { BelayError } from "../../errors.ts";
import { parseTable, type TableText } from "../transaction/column-order.ts";

/** Statements that turn a table back into what it was: `before` the rows are loaded, and `after`. */
export interface TableRepair {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** A column as its TABLE entry words it. */
export interface Column {
  readonly name: string;
  /** Type and collation. */
  readonly type: string;
  readonly expression: string | null;
  readonly generated: boolean;
  readonly notNull: boolean;
}

/**
 * Compares the TABLE entry of before the rollback with the one of now. Columns come back nullable; NOT NULL and CHECK
 * follow when the rows are there. `empty`: the table's rows were taken out, so that types may change freely.
 * `partition`: columns come and go with the parent's. `made`: columns that the rollback added, other ones even where
 * the name was there before.
 */
export function tableRepair(
  target: Entry,
  now: Entry,
  { empty, partition, made }: { empty: boolean; partition: boolean; made: readonly string[] },
): TableRepair {
  const table = qualified(target.schema, target.name);
  const was = parseTable(target.create);
  const is = parseTable(now.create);
  if (was === null || is === null) throw notInThisVersion(target);
  const alter = (what: string) => `alter table ${table} ${what}`;
  const before: string[] = [];
  if (was.head !== is.head) before.push(alter(isUnlogged(was) ? "set unlogged" : "set logged"));
  const after: string[] = [];
  const [oldColumns, newColumns] = [columnsOf(was), columnsOf(is)];
  const others = new Set(made.map(quoteIdent));
  for (const column of newColumns.values())
    if ((!oldColumns.has(column.name) || others.has(column.name)) && !partition)
      before.push(alter(`drop column ${column.name}`));
  for (const column of oldColumns.values()) {
    const current = others.has(column.name) ? undefined : newColumns.get(column.name);
    if (current === undefined && partition) {
      if (!column.generated)
        after.push(
          alter(
            `alter column ${column.name} ${column.expression === null ? "drop default" : `set default ${column.expression}`}`,
          ),
        );
      if (column.notNull) after.push(alter(`alter column ${column.name} set not null`));
    } else if (current === undefined) {
      before.push(alter(`add column ${column.name} ${column.type}${defaultClause(column)}`));
      if (column.notNull) after.push(alter(`alter column ${column.name} set not null`));
    } else if (!partition || column.type === current.type) {
      const repair = columnRepair(column, current, empty);
      if (repair === null) throw notInThisVersion(target);
      before.push(...repair.before.map(alter));
      after.push(...repair.after.map(alter));
    }
  }
  const constraints = (text: TableText) =>
    new Map(text.items.filter(isConstraint).map((item) => [constraintName(item), item]));
  const [oldChecks, newChecks] = [constraints(was), constraints(is)];
  for (const [name, text] of newChecks)
    if (oldChecks.get(name) !== text) before.unshift(alter(`drop constraint ${name}`));
  for (const [name, text] of oldChecks) if (newChecks.get(name) !== text) after.push(alter(`add ${text}`));
  after.push(...tailRepair(target, was.tail, is.tail));
  return { before, after };
}

/** Whether a stored generated column comes back, for which the server writes every row of the table anew. */
export function regains(target: Entry, now: Entry): boolean {
  const [was, is] = [parseTable(target.create), parseTable(now.create)];
  if (was === null || is === null) return false;
  const columns = columnsOf(is);
  return [...columnsOf(was).values()].some(
    ({ name, generated, expression }) =>
      generated && expression!.endsWith(" STORED") && columns.get(name)?.generated !== true,
  );
}

function notInThisVersion(entry: Entry): BelayError {
  return new BelayError(
    "undo_conflict",
    `${entry.key} changed in a way that this version cannot put back from its entry`,
    {
      hint: "Apply the migration's forward SQL by hand, then load the archive with pg_restore --data-only.",
      details: { key: entry.key },
    },
  );
}

function isUnlogged(table: TableText): boolean {
  return table.head.trimStart().startsWith("CREATE UNLOGGED");
}

function isConstraint(item: string): boolean {
  return item.startsWith("CONSTRAINT ");
}

function constraintName(item: string): string {
  return item.match(/^CONSTRAINT ("(?:[^"]|"")+"|\S+)/)![1]!;
}

/** The columns of a CREATE TABLE text by their quoted names. */
export function columnsOf(table: TableText): Map<string, Column> {
  const columns = table.items.filter((item) => !isConstraint(item)).map(parseColumn);
  return new Map(columns.map((column) => [column.name, column]));
}

function parseColumn(item: string): Column {
  const name = item.match(/^("(?:[^"]|"")+"|\S+)/)![1]!;
  let rest = item.slice(name.length).trim();
  const notNull = rest.endsWith(" NOT NULL");
  if (notNull) rest = rest.slice(0, -" NOT NULL".length);
  const generated = rest.match(/^(.*?) (GENERATED ALWAYS AS \(.*\)(?: STORED)?)$/s);
  if (generated) return { name, type: generated[1]!, expression: generated[2]!, generated: true, notNull };
  const plain = rest.match(/^(.*?) DEFAULT (.*)$/s);
  return { name, type: plain?.[1] ?? rest, expression: plain?.[2] ?? null, generated: false, notNull };
}

function defaultClause(column: Column): string {
  if (column.expression === null) return "";
  return column.generated ? ` ${column.expression}` : ` default ${column.expression}`;
}

/** How a surviving column goes back; null when only a new column could. */
function columnRepair(target: Column, now: Column, empty: boolean): TableRepair | null {
  const before: string[] = [];
  const after: string[] = [];
  const column = `alter column ${target.name}`;
  if (target.generated !== now.generated || (target.generated && target.expression !== now.expression)) {
    if (!empty) return null;
    before.push(`drop column ${target.name}`, `add column ${target.name} ${target.type}${defaultClause(target)}`);
    if (target.notNull) after.push(`${column} set not null`);
    return { before, after };
  }
  if (target.type !== now.type) {
    if (!empty) return null;
    if (now.expression !== null) before.push(`${column} drop default`);
    before.push(`${column} type ${target.type} using null`);
    if (target.expression !== null) before.push(`${column} set default ${target.expression}`);
  } else if (target.expression !== now.expression)
    before.push(target.expression === null ? `${column} drop default` : `${column} set default ${target.expression}`);
  if (!target.notNull && now.notNull) before.push(`${column} drop not null`);
  if (target.notNull && !now.notNull) after.push(`${column} set not null`);
  return { before, after };
}

/** Statements after the column list (statistics, storage, replica identity) that are missing now; options cannot be told apart here. */
function tailRepair(target: Entry, was: string, is: string): string[] {
  const statements = (tail: string) => tail.split(/;\n/).map((part) => part.trim());
  const [oldOptions, ...old] = statements(was);
  const [newOptions, ...current] = statements(is);
  const table = qualified(target.schema, target.name);
  const [before, after] = [tableOptions(newOptions!), tableOptions(oldOptions!)];
  if (oldOptions !== newOptions && (before === null || after === null)) throw notInThisVersion(target);
  return [
    ...(before === null || after === null ? [] : optionsRepair(before, after)).map(
      (what) => `alter table ${table} ${what}`,
    ),
    ...old.filter((statement) => statement !== "" && !current.includes(statement)),
  ];
}

interface TableOptions {
  readonly parents: readonly string[];
  /** `name=value` as the text has them. */
  readonly storage: readonly string[];
}

/** What stands behind the column list; null when there is more than parents and storage options. */
function tableOptions(text: string): TableOptions | null {
  const parts = text.match(/^(?:INHERITS \((.*?)\))?\s*(?:WITH \((.*)\))?$/s);
  const list = (words: string | undefined) => (words ?? "").split(", ").filter((word) => word !== "");
  return parts === null ? null : { parents: list(parts[1]), storage: list(parts[2]) };
}

function optionsRepair(is: TableOptions, was: TableOptions): string[] {
  const same = is.storage.join() === was.storage.join();
  const names = is.storage.map((option) => option.split("=")[0]!);
  return [
    ...is.parents.filter((parent) => !was.parents.includes(parent)).map((parent) => `no inherit ${parent}`),
    ...was.parents.filter((parent) => !is.parents.includes(parent)).map((parent) => `inherit ${parent}`),
    ...(same || names.length === 0 ? [] : [`reset (${names.join(", ")})`]),
    ...(same || was.storage.length === 0 ? [] : [`set (${was.storage.join(", ")})`]),
  ];
}

import type { UndoConflict, UndoPlan } from "../../shared/rollback/undo/plan-types.ts";
import { bytes, count, mark, moment, paint } from "../terminal.ts";
import { renderBlockers } from "./blockers.ts";
import { renderBlocking, renderGates } from "./gates.ts";
import { printable } from "./printable.ts";
import { hang, table } from "./wrap.ts";

interface Layout {
  /** Columns of the terminal. */
  readonly width: number;
  /** Names every object, the locks and the steps. */
  readonly all?: boolean;
}

/** What an undo would do, for people: whether it can, what comes back, what goes, and what stands against it. */
export function renderUndoPlan(plan: UndoPlan, { width, all = false }: Layout): string[] {
  const field = (name: string, text: string) => hang(`  ${name.padEnd(12)}`, printable(text), width);
  return [
    paint("bold", titleOf(plan)),
    ...field(
      "Rollback",
      `${plan.rollbackId} by ${plan.rolledBackBy}, ${moment(plan.rolledBackAt)}: ${plan.reasonThen}`,
    ),
    ...hang("  Can undo    ", plan.canUndo ? `${mark.yes()} yes` : `${mark.no()} no`, width),
    ...field("Risk", `${plan.risk}: ${plan.riskReasons.join("; ")}`),
    ...field("Archive", archiveWords(plan)),
    ...renderBlocking(
      plan.gates.filter(({ name }) => name !== "conflicts"),
      width,
    ),
    ...renderConflicts(plan, width),
    ...renderBlockers(plan.blockers, width),
    "",
    ...renderReturns(plan, width, all),
    "",
    ...renderReplaces(plan, width, all),
    ...listOf("There already as before the rollback", plan.present, width),
    ...listOf("Left out", plan.leftOut, width),
    "",
    ...renderGates(plan.gates, width),
    ...(all ? renderWork(plan, width) : []),
  ];
}

function titleOf({ migrations, only }: UndoPlan): string {
  const names = migrations.length === 1 ? migrations[0]! : count(migrations.length, "migration");
  return printable(
    only.length === 0 ? `Undo of the rollback of ${names}` : `${only.join(", ")} of the rollback of ${names}`,
  );
}

function archiveWords({ archive, forecast }: UndoPlan): string {
  if (archive === null) return "none was needed";
  const time = forecast.bytes < 1_000_000 ? "" : `; about ${forecast.seconds} s to load, tables locked meanwhile`;
  return `${archive.id}: ${count(archive.rows, "row")}, ${bytes(archive.bytes)}, taken ${moment(archive.takenAt)}${time}`;
}

function renderConflicts({ conflicts }: UndoPlan, width: number): string[] {
  if (conflicts.length === 0) return [];
  return [
    "",
    paint("bold", "Newer than the rollback, and in the way"),
    ...conflicts.flatMap((each) => [
      ...hang(`  ${each.discarded ? mark.open() : mark.no()} `, conflictWords(each), width),
      ...(each.discard === null || each.discarded
        ? []
        : hang("    → ", `archive it and undo over it: --discard-newer ${printable(each.discard)}`, width)),
    ]),
  ];
}

function conflictWords({ what, by, discarded }: UndoConflict): string {
  const author = by === null ? "" : ` (${by})`;
  return printable(`${what}${author}${discarded ? ": archived, and undone over" : ""}`);
}

function renderReturns({ returns, migrations, only }: UndoPlan, width: number, all: boolean): string[] {
  const rows = [
    ...returns.tables.map((each) => ["table", `${each.schema}.${each.table}`, count(each.rows, "row")]),
    ...returns.columns.map((each) => [
      "columns",
      `${each.schema}.${each.table} (${each.columns.join(", ")})`,
      count(each.rows, "row"),
    ]),
    ...returns.moved.map((each) => [
      each.kind,
      `${each.schema}.${each.name}`,
      each.kind === "table" ? `all, moved back from ${each.from}` : `moved back from ${each.from}`,
    ]),
    ...returns.sequences.map((each) => ["sequence", `${each.schema}.${each.name}`, `at ${each.lastValue} or further`]),
  ];
  return [
    paint("bold", "What comes back"),
    ...(rows.length === 0 ? ["  no rows"] : shownTable(["kind", "name", "rows"], rows, width)),
    ...objectLines(returns.objects, all, width),
    ...(only.length > 0
      ? hang("  ", printable(`${migrations.join(", ")} stays rolled back`), width)
      : hang("  ", printable(`counts as applied again: ${migrations.join(", ")}`), width)),
    ...returns.tracking.flatMap(({ migration, table: name, tool }) =>
      hang("  ", printable(`${tool} gets its row of ${migration} back in ${name}`), width),
    ),
  ];
}

function renderReplaces({ replaces }: UndoPlan, width: number, all: boolean): string[] {
  const { tables, columns, objects } = replaces;
  if (tables.length + columns.length + objects.length === 0)
    return [paint("bold", "What goes or is written over"), "  nothing"];
  const rows = [
    ...tables.map((each) => [
      "table",
      `${each.schema}.${each.table}`,
      `${count(each.rows, "row")}, ${bytes(each.bytes)}`,
      each.because,
    ]),
    ...columns.map((each) => [
      "columns",
      `${each.schema}.${each.table} (${each.columns.join(", ")})`,
      "-",
      each.because,
    ]),
  ];
  return [
    paint("bold", "What goes or is written over (archived first)"),
    ...(rows.length === 0 ? [] : shownTable(["kind", "name", "rows", "why"], rows, width)),
    ...objectLines(objects, all, width),
  ];
}

function objectLines(objects: readonly { key: string; change: string }[], all: boolean, width: number): string[] {
  if (objects.length === 0) return [];
  if (!all) return [paint("dim", `  ${count(objects.length, "object")}; --dry-run or --json names each`)];
  return objects.flatMap(({ key, change }) => hang(`  ${change.padEnd(9)}  `, printable(key), width));
}

function listOf(title: string, names: readonly string[], width: number): string[] {
  if (names.length === 0) return [];
  return ["", paint("bold", title), ...names.flatMap((name) => hang("  ", printable(name), width))];
}

function renderWork(plan: UndoPlan, width: number): string[] {
  const locks = plan.locks.map((lock) => [lock.mode, `${lock.schema}.${lock.relation}`, lock.because]);
  return [
    "",
    ...(locks.length === 0
      ? []
      : [paint("bold", "Locks"), ...shownTable(["mode", "relation", "why"], locks, width), ""]),
    paint("bold", "Steps"),
    ...plan.steps.flatMap(({ name, detail }, index) =>
      hang(`  ${index + 1}. ${name.padEnd(8)} `, printable(detail), width),
    ),
    "",
    `Plan ${plan.hash}`,
  ];
}

function shownTable(header: readonly string[], rows: readonly (readonly string[])[], width: number): string[] {
  const cells = rows.map((row) => row.map(printable));
  return table(header, cells, width - 2).map((line) => `  ${line}`);
}

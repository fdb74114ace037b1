import type { Effect, Plan, PlannedMigration, Risk } from "../../shared/rollback/types.ts";
import { bytes, count, mark, moment, paint } from "../terminal.ts";
import { renderBlockers } from "./blockers.ts";
import { renderDrift } from "./drift.ts";
import { renderBlocking, renderChecklist, renderGates } from "./gates.ts";
import { movedName, movedNames, renderPreserve } from "./preserved.ts";
import { printable, printableLines } from "./printable.ts";
import { hang, table } from "./wrap.ts";

const riskStyle: Record<Risk, "red" | "yellow" | "green"> = { HIGH: "red", MEDIUM: "yellow", LOW: "green" };

const verdictWords: Record<Plan["verdict"], string> = {
  roll_back: "roll back",
  roll_back_part: "roll back a part",
  roll_back_application_only: "roll back the application only",
  fix_forward: "fix forward",
  restore_backup: "restore a backup",
};

interface Layout {
  /** Columns of the terminal. */
  readonly width: number;
  /** Names the objects that go with others too. */
  readonly allObjects?: boolean;
}

/** Status, whether it can be rolled back and why not, dependents, risk, loss card, gates. */
export function renderCheck(plan: Plan, layout: Layout): string[] {
  const { width } = layout;
  const field = (name: string, text: string) => hang(`  ${name.padEnd(15)}`, text, width);
  const reasons = plan.riskReasons.join("; ");
  return [
    paint("bold", titleOf(plan)),
    ...(plan.migrations.length > 1 ? [] : field("Status", statusOf(plan))),
    ...field("Can roll back", plan.canRollBack ? `${mark.yes()} yes` : `${mark.no()} no`),
    ...field("Risk", `${paint(riskStyle[plan.risk], plan.risk)}: ${reasons}`),
    ...field("Verdict", verdictWords[plan.verdict]),
    ...renderBlocking(plan.gates, width),
    ...renderPart(plan, width),
    ...renderDependents(plan, width),
    ...renderBlockers(plan.blockers, width),
    ...renderPlanDrift(plan, layout),
    ...renderMigrations(plan, width),
    "",
    ...renderLossCard(plan.effect, width),
    ...renderAlsoArchived(plan.alsoArchived, width),
    ...renderPreserve(plan, width),
    ...renderObjects(plan, layout.allObjects === true),
    "",
    ...renderChecklist(plan.checklist, width),
    "",
    ...renderGates(plan.gates, width),
  ];
}

/** What was changed by hand, and what that means for the rollback. */
function renderPlanDrift({ drift, effect }: Plan, { width, allObjects = false }: Layout): string[] {
  const lines = renderDrift(drift, { width, texts: allObjects });
  if (lines.length === 0) return [];
  const drifted = new Set(drift.objects.map(({ key }) => key));
  const touched = (change: string) => effect.objects.some((each) => each.change === change && drifted.has(each.key));
  const meanings = [
    touched("destroyed") ? "What goes, goes with the changes made by hand: the archive keeps both." : null,
    touched("changed")
      ? "What stays will not be as before the migration, so the end state will not be accepted without --waive end_state."
      : null,
    drift.objects.some(({ difference }) => difference === "missing")
      ? "What is gone already is not found: rollback SQL that names it may fail."
      : null,
  ];
  return ["", ...lines, ...meanings.flatMap((meaning) => (meaning === null ? [] : hang("  → ", meaning, width)))];
}

function titleOf({ migration, migrations, target }: Plan): string {
  if (migrations.length === 1) return migration;
  const asked = target.kind === "to" || target.kind === "deployment" ? ` (--${target.kind} ${target.value})` : "";
  return `${count(migrations.length, "migration")}, rolled back as one${asked}`;
}

/** The set in the order in which it goes, each with what its rollback SQL takes. */
function renderMigrations({ migrations }: Plan, width: number): string[] {
  if (migrations.length === 1) return [];
  return [
    "",
    paint("bold", "Migrations, in the order in which they go"),
    ...migrations.flatMap((each, index) => [
      ...hang(`  ${String(index + 1).padStart(2)}. `, `${each.migration}${ownStatus(each)}`, width),
      ...hang("      ", takenWords(each), width).map((line) => paint("dim", line)),
    ]),
  ];
}

function ownStatus({ status }: PlannedMigration): string {
  return status === "applied" ? "" : paint("red", `  ${status.replace("_", " ")}`);
}

function takenWords({ rollbackFile, rollbackLine, reversedBy, destroys }: PlannedMigration): string {
  if (reversedBy !== null) return `reversed by the rollback SQL of ${reversedBy}`;
  const { tables, columns, sequences, rows, objects } = destroys;
  const named = [
    ...tables.map((name) => `table ${name}`),
    ...columns.map((name) => `columns ${name}`),
    ...sequences.map((name) => `sequence ${name}`),
  ];
  const rowsOf = tables.length > 0 ? [count(rows, "row")] : [];
  const others = objects > 0 ? [`${count(objects, "object")} in all`] : [];
  const takes = [...named, ...rowsOf, ...others];
  const place = rollbackFile === null ? "no rollback SQL" : `${rollbackFile}:${rollbackLine}`;
  return `${place}: ${takes.length === 0 ? "destroys nothing that is known beforehand" : `takes ${takes.join(", ")}`}`;
}

/** What can go although the whole cannot. */
function renderPart({ part }: Plan, width: number): string[] {
  if (part === null) return [];
  return [
    "",
    paint("bold", "A part can go"),
    ...hang(`  ${mark.yes()} `, part.migrations.join(", "), width),
    ...hang("    ", `It stops at ${part.stopsAt}: ${part.why}`, width),
    ...hang("    → ", part.command, width),
  ];
}

function statusOf({ status, appliedAt }: Plan): string {
  if (appliedAt === null) return status;
  return status === "applied" ? `applied ${moment(appliedAt)}` : `${status}, applied ${moment(appliedAt)}`;
}

/** All that check shows with every object, then locks and steps; with `sql` what would run, too. */
export function renderPlan(plan: Plan, { width, sql = false }: Layout & { readonly sql?: boolean }): string[] {
  return [
    ...renderCheck(plan, { width, allObjects: true }),
    "",
    ...renderLocks(plan, width),
    ...(sql ? renderSql(plan, width) : []),
    paint("bold", "Steps"),
    ...plan.steps.flatMap((step, index) => hang(`  ${index + 1}. ${step.name.padEnd(9)} `, step.detail, width)),
    "",
    `Plan ${plan.hash}`,
  ];
}

function renderSql({ sql, rewrites }: Plan, width: number): string[] {
  return [
    paint("bold", "SQL that would run"),
    ...(sql === ""
      ? ["  none"]
      : printableLines(sql.trimEnd())
          .split("\n")
          .map((line) => `  ${line}`)),
    ...rewrites.flatMap((rewrite) => hang("  note: ", rewrite, width)),
    "",
  ];
}

function renderDependents(plan: Plan, width: number): string[] {
  if (plan.dependents.length === 0) return [];
  return [
    "",
    paint("bold", "Dependent migrations (must be rolled back first)"),
    ...plan.dependents.flatMap(({ migration, found, why }) => [
      `  - ${migration}`,
      ...hang("    ", found === "declared" ? why : `found in the catalog: ${why}`, width),
    ]),
  ];
}

/** What the rollback destroys: tables and columns with rows and bytes, sequences, then every other object. */
export function renderLossCard(effect: Effect, width: number): string[] {
  const { tables, columns, sequences } = effect;
  const rows = [
    ...tables.map((lost) => [
      "table",
      `${lost.schema}.${lost.table}`,
      count(lost.rows, "row"),
      bytes(lost.bytes),
      writtenWords(lost),
    ]),
    ...columns.map((lost) => [
      "columns",
      `${lost.schema}.${lost.table} (${lost.columns.join(", ")})`,
      `${count(lost.rows, "row")} with a value`,
      bytes(lost.bytes),
      `${lost.key === null ? paint("red", "no key to merge by") : `merged by ${lost.key.join(", ")}`}; ${writtenWords(lost)}`,
    ]),
    ...sequences.map((lost) => [
      "sequence",
      `${lost.schema}.${lost.name}`,
      lost.stays ? `stays, set from ${lost.lastValue}` : `at ${lost.lastValue}`,
      "-",
      "-",
    ]),
  ];
  return [
    paint("bold", "What is lost from the database (and kept in the archive)"),
    ...(rows.length === 0
      ? ["  no rows"]
      : table(["kind", "name", "rows", "size", "note"], rows, width - 2).map((line) => `  ${line}`)),
    ...effect.writes.flatMap((write) => hang(`  ${mark.open()} ${placeOf(write)}: `, writeWords(write), width)),
    ...effect.jobs.flatMap((job) =>
      hang(`  ${mark.open()} cron job ${printable(job.name ?? String(job.id))}: `, jobWords(job), width),
    ),
    ...effect.opaque.flatMap((statement) =>
      hang(
        `  ${mark.open()} ${placeOf(statement)}: `,
        `${statement.statement}: ${statement.why} (the execution guard decides)`,
        width,
      ),
    ),
  ];
}

/** What is archived on request: it may change or go, and the plan cannot tell how. */
function renderAlsoArchived(asked: Plan["alsoArchived"], width: number): string[] {
  if (asked.length === 0) return [];
  const rows = asked.map(({ kind, schema, table: name, rows, exact, bytes: size }) => [
    kind,
    `${schema}.${name}`,
    kind === "table" ? `${exact ? "" : "about "}${count(rows, "row")}` : "-",
    kind === "table" ? bytes(size) : "-",
  ]);
  return [
    "",
    paint("bold", "Archived on request (the SQL may change or drop it out of the plan's sight; undo brings it back)"),
    ...table(["kind", "name", "rows", "size"], rows, width - 2).map((line) => `  ${line}`),
  ];
}

function writtenWords({ writtenSince, countedFrom }: Pick<Effect["tables"][number], "writtenSince" | "countedFrom">) {
  if (writtenSince === null) return "writes since not known";
  return `${count(writtenSince, "row")} written since${countedFrom === null ? "" : ` ${moment(countedFrom)}`}`;
}

function writeWords({ verb, schema, table, rows }: Effect["writes"][number]): string {
  const reached = rows === null ? "rows" : count(rows, "row");
  return `${verb.toUpperCase()} ${verb === "insert" ? "adds" : "reaches"} ${reached} ${verb === "insert" ? "to" : "of"} ${schema}.${table}${rows === null ? " (how many is not told without running it)" : " as things stand"}`;
}

function jobWords({ schedule, active, uses }: Effect["jobs"][number]): string {
  return `${schedule}${active ? "" : " (not active)"}: it names ${uses.join(", ")}, and fails when that is gone`;
}

function placeOf({ file, line }: { readonly file: string; readonly line: number }): string {
  return `${file.replace(/^.*\//, "")}:${line}`;
}

/** Every object with `all`, else those that the SQL names and a count of those that go with them. */
function renderObjects({ effect, migrations, preserve }: Plan, all: boolean): string[] {
  const moved = movedNames(preserve);
  const objects = effect.objects.filter((object) => !moved.has(movedName(object)));
  if (objects.length === 0) return [];
  const named = objects.filter((object) => object.by === "statement");
  const rest = objects.length - named.length;
  const shown = all ? objects : named;
  const lines =
    migrations.length === 1
      ? shown.map((object) => `  ${objectWords(object)}`)
      : migrations.flatMap(({ migration }) => objectsOf(migration, shown));
  const more =
    all || rest === 0
      ? []
      : [
          paint(
            "dim",
            `  and ${count(rest, "object that goes", "objects that go")} with them; --dry-run or --json names each`,
          ),
        ];
  return ["", paint("bold", `Objects (${objects.length})`), ...lines, ...more];
}

type Shown = Plan["effect"]["objects"][number];

function objectsOf(migration: string, objects: readonly Shown[]): string[] {
  const own = objects.filter((object) => object.migration === migration);
  return own.length === 0 ? [] : [`  ${migration}`, ...own.map((object) => `    ${objectWords(object)}`)];
}

function objectWords({ kind, schema, name, change, by }: Shown): string {
  const what = printable(`${kind} ${schema === null ? "" : `${schema}.`}${name}`);
  const withOther = change === "destroyed" ? "goes with another object" : "changes with another object";
  return `${change.padEnd(9)}  ${what}${by === "cascade" ? paint("dim", `  (${withOther})`) : ""}`;
}

function renderLocks(plan: Plan, width: number): string[] {
  if (plan.locks.length === 0) return [];
  const rows = plan.locks.map((lock) => [lock.mode, `${lock.schema}.${lock.relation}`, lock.because]);
  return [
    paint("bold", "Locks"),
    ...table(["mode", "relation", "why"], rows, width - 2).map((line) => `  ${line}`),
    "",
  ];
}

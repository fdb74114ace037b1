import { listed, plural } from "../../words.ts";
import { parentOfForeignKey } from "../effect/destroy.ts";
import type { Gate, Plan, Risk } from "../types.ts";
import type { Facts } from "./facts.ts";
import { cameAfter } from "./provenance.ts";

export interface RiskVerdict {
  readonly risk: Risk;
  readonly reasons: string[];
}

const order: readonly Risk[] = ["LOW", "MEDIUM", "HIGH"];
/** A lock that stops readers matters from this size on. */
const largeTableBytes = 1_000_000_000;

/** How bad it would be if this went wrong, with every reason of the highest level first. */
export function judgeRisk(facts: Facts): RiskVerdict {
  const reasons: [Risk, string][] = [...lossReasons(facts), ...effectReasons(facts), ...trafficReasons(facts)];
  const risk = reasons.reduce<Risk>(
    (worst, [level]) => (order.indexOf(level) > order.indexOf(worst) ? level : worst),
    "LOW",
  );
  reasons.sort((a, b) => order.indexOf(b[0]) - order.indexOf(a[0]));
  return { risk, reasons: reasons.length > 0 ? reasons.map(([, reason]) => reason) : ["nothing is lost"] };
}

function deletedWords(deleted: Facts["writes"]): string {
  const known = deleted.every(({ rows }) => rows !== null);
  const rows = deleted.reduce((sum, each) => sum + (each.rows ?? 0), 0);
  const tables = listed([...new Set(deleted.map(({ schema, table }) => `${schema}.${table}`))]);
  return known ? `${plural(rows, "row")} of ${tables} are deleted` : `rows of ${tables} are deleted`;
}

function lossReasons({ losses: { tables, columns }, writes, preserve }: Facts): [Risk, string][] {
  const full = tables.filter((each) => each.rows > 0);
  const filled = columns.filter((each) => each.rows > 0);
  const reasons: [Risk, string][] = [];
  if (full.length > 0) reasons.push(["HIGH", `${rowsOf(full)} of ${plural(full.length, "table")} go`]);
  if (filled.length > 0) {
    const names = filled.flatMap((each) => each.columns);
    reasons.push(["HIGH", `values of ${plural(names.length, "column")} in ${rowsOf(filled)} go`]);
  }
  const moved = preserve.mode === "quarantine" ? preserve.kept.filter(({ kind }) => kind === "table").length : 0;
  if (moved > 0)
    reasons.push([
      "MEDIUM",
      `${plural(moved, "table is moved to where no application sees it", "tables are moved to where no application sees them")}`,
    ]);
  const written = tables.filter((each) => (each.writtenSince ?? 0) > 0).length;
  if (written > 0)
    reasons.push([
      "HIGH",
      `${plural(written, "table that goes was", "tables that go were")} written to since the migration`,
    ]);
  const deleted = writes.filter(({ verb, rows }) => ["delete", "truncate"].includes(verb) && rows !== 0);
  if (deleted.length > 0) reasons.push(["HIGH", deletedWords(deleted)]);
  const emptyTables = tables.length - full.length;
  if (emptyTables > 0) reasons.push(["MEDIUM", `${plural(emptyTables, "empty table goes", "empty tables go")}`]);
  const emptyColumns = columns.filter((each) => each.rows === 0).flatMap((each) => each.columns).length;
  if (emptyColumns > 0)
    reasons.push(["MEDIUM", `${plural(emptyColumns, "column without values goes", "columns without values go")}`]);
  return reasons;
}

function rowsOf(lost: readonly { readonly rows: number; readonly exact: boolean }[]): string {
  const rows = lost.reduce((sum, each) => sum + each.rows, 0);
  return `${lost.every((each) => each.exact) ? "" : "about "}${plural(rows, "row")}`;
}

const guarding = new Set(["POLICY", "ROW SECURITY"]);
const checking = new Set(["CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "TRIGGER"]);

function effectReasons({ effect, provenance, losses, prepared, drift, alsoArchived }: Facts): [Risk, string][] {
  const reasons: [Risk, string][] = [];
  if (provenance.overreach.length > 0) reasons.push(["HIGH", "it destroys what the migration did not make"]);
  if (!provenance.known && prepared.statements > 0)
    reasons.push(["MEDIUM", "without snapshots it is not known what the migration made"]);
  if (drift.objects.length > 0)
    reasons.push([
      "MEDIUM",
      `${plural(drift.objects.length, "object that it touches was", "objects that it touches were")} changed past the migrations`,
    ]);
  if (effect.opaque.length > 0)
    reasons.push(["MEDIUM", `the effect of ${plural(effect.opaque.length, "statement")} shows only when it runs`]);
  const free = alsoArchived.map(({ schema, table }) => `${schema}.${table}`);
  if (free.length > 0) reasons.push(["HIGH", `${listed(free)} may change or go without the plan telling how`]);
  const set = losses.sequences.filter(({ stays }) => stays).map(({ schema, name }) => `${schema}.${name}`);
  if (set.length > 0)
    reasons.push(["MEDIUM", `${listed(set)} is set to another value: numbers could be left out or given again`]);
  const survivors = ofWhatStays(effect.objects, losses.tables);
  const policies = survivors.filter((each) => each.kind === "POLICY").length;
  if (policies > 0)
    reasons.push([
      "MEDIUM",
      `${plural(policies, "policy of a table that stays goes", "policies of tables that stay go")}: check who may read it then`,
    ]);
  const open = survivors.filter((each) => each.kind === "ROW SECURITY").length;
  if (open > 0) reasons.push(["MEDIUM", `row-level security is switched off on ${plural(open, "table")}`]);
  const grants = effect.objects.filter((each) => each.kind === "ACL" && each.change === "changed").length;
  if (grants > 0)
    reasons.push(["MEDIUM", `grants on ${plural(grants, "object that stays", "objects that stay")} change`]);
  const loosened = survivors.filter((each) => checking.has(each.kind)).length;
  if (loosened > 0)
    reasons.push([
      "MEDIUM",
      `${plural(loosened, "constraint or trigger of what stays goes", "constraints and triggers of what stays go")}`,
    ]);
  const used = survivors.filter((each) => /VIEW|FUNCTION|PROCEDURE|AGGREGATE/.test(each.kind)).length;
  if (used > 0)
    reasons.push([
      "MEDIUM",
      plural(
        used,
        "view or function that applications may use goes",
        "views or functions that applications may use go",
      ),
    ]);
  return reasons;
}

/** Destroyed objects that belong to no table or view that goes itself; a part's name begins with its table's. */
function ofWhatStays(objects: Facts["effect"]["objects"], tables: Facts["losses"]["tables"]) {
  const gone = objects.filter((each) => each.change === "destroyed");
  const owners = new Set([
    ...gone.filter((each) => /TABLE|VIEW/.test(each.kind)).map((each) => `${each.schema} ${each.name}`),
    ...tables.map((each) => `${each.schema} ${each.table}`),
  ]);
  const parts = new Set([...guarding, ...checking]);
  return gone.filter(
    ({ kind, schema, name }) =>
      !parts.has(kind) || ![...owners].some((owner) => `${schema} ${name} `.startsWith(`${owner} `)),
  );
}

function trafficReasons({ locks, blockers, losses, jobs }: Facts): [Risk, string][] {
  const reasons: [Risk, string][] = [];
  const active = jobs.filter((each) => each.active).length;
  if (active > 0)
    reasons.push([
      "MEDIUM",
      `${plural(active, "scheduled job names", "scheduled jobs name")} what goes, and would fail`,
    ]);
  const large = losses.tables.filter((each) => each.bytes > largeTableBytes).length;
  if (large > 0) reasons.push(["MEDIUM", `${plural(large, "table")} above 1 GB must be archived under lock`]);
  if (blockers.length > 0)
    reasons.push(["MEDIUM", `${plural(blockers.length, "session holds", "sessions hold")} locks in the way now`]);
  const parents = locks.filter((each) => each.because.startsWith(parentOfForeignKey)).length;
  if (parents > 0)
    reasons.push([
      "LOW",
      `${plural(parents, "foreign-key parent that stays is", "foreign-key parents that stay are")} locked for a moment`,
    ]);
  return reasons;
}

/**
 * The one recommendation. What later migrations hold up is no reason to fix forward: they are rolled back first.
 * Restore a backup: the migration itself dropped tables, and no rollback SQL has their rows.
 */
export function judgeVerdict(facts: Facts, gates: readonly Gate[], risk: Risk): Plan["verdict"] {
  const failed = (name: Gate["name"]) => gates.find((gate) => gate.name === name)?.state === "failed";
  if (facts.part !== null) return "roll_back_part";
  if (facts.provenance.removedTables.length > 0) return "restore_backup";
  const cannot: Gate["name"][] = ["rollback_sql", "syntax", "transactional", "undoable", "supported"];
  if (cannot.some(failed) || takesFromOthers(facts)) return "fix_forward";
  const lost = [...facts.losses.tables, ...facts.losses.columns].some((each) => each.rows > 0);
  if (risk === "HIGH" && lost && facts.provenance.additive) return "roll_back_application_only";
  return "roll_back";
}

/** Whether it would destroy something even after all dependents are rolled back. */
function takesFromOthers({ provenance, dependents }: Facts): boolean {
  const later = new Set(dependents.map((each) => each.migration));
  return provenance.overreach.some(({ madeBy, why }) => why !== cameAfter || madeBy === null || !later.has(madeBy));
}

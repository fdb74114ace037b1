import type { Effect, Gate, Plan, Risk } from "../../shared/rollback/types.ts";
import { bytes, count, mark, moment, paint, table } from "../terminal.ts";

const riskStyle: Record<Risk, "red" | "yellow" | "green"> = { HIGH: "red", MEDIUM: "yellow", LOW: "green" };

const verdictWords: Record<Plan["verdict"], string> = {
  roll_back: "roll back",
  roll_back_application_only: "roll back the application only",
  fix_forward: "fix forward",
  restore_backup: "restore a backup",
};

/** Status, whether it can be rolled back and why not, dependents, risk, loss card, gates. */
export function renderCheck(plan: Plan, options: { allObjects?: boolean } = {}): string[] {
  return [
    paint("bold", plan.migration),
    `  Status         ${plan.status}${plan.appliedAt === null ? "" : `, applied ${moment(plan.appliedAt)}`}`,
    `  Can roll back  ${plan.canRollBack ? `${mark.yes()} yes` : `${mark.no()} no`}`,
    ...blockingReasons(plan).map((reason, index) => `  ${index === 0 ? "Reason         " : " ".repeat(15)}${reason}`),
    `  Risk           ${paint(riskStyle[plan.risk], plan.risk)}: ${plan.riskReasons.join("; ")}`,
    `  Verdict        ${verdictWords[plan.verdict]}`,
    ...renderDependents(plan),
    "",
    ...renderLossCard(plan.effect),
    ...renderObjects(plan.effect, options.allObjects === true),
    "",
    ...renderGates(plan.gates),
  ];
}

/** One line a gate that stops the rollback. */
function blockingReasons(plan: Plan): string[] {
  const failed = plan.gates.filter((gate) => gate.blocking && gate.state === "failed");
  return failed.map((gate) => `${gate.name}: ${indentAfterFirst(gate.evidence, 17)}`);
}

/** All that check shows, and what would run: SQL, locks, blockers, steps. */
export function renderDryRun(plan: Plan): string[] {
  return [
    ...renderCheck(plan, { allObjects: true }),
    "",
    ...renderLocks(plan),
    paint("bold", "SQL that would run"),
    ...(plan.sql === ""
      ? ["  none"]
      : plan.sql
          .trimEnd()
          .split("\n")
          .map((line) => `  ${line}`)),
    ...plan.rewrites.map((rewrite) => `  ${paint("dim", `note: ${rewrite}`)}`),
    "",
    paint("bold", "Steps"),
    ...plan.steps.map((step, index) => `  ${index + 1}. ${step.name}: ${step.detail}`),
    "",
    `Plan ${plan.hash}`,
  ];
}

function renderDependents(plan: Plan): string[] {
  if (plan.dependents.length === 0) return [];
  return [
    "",
    paint("bold", "Dependent migrations (must be rolled back first)"),
    ...plan.dependents.map(({ migration, found, why }) => `  - ${migration}  ${paint("dim", `${found}: ${why}`)}`),
  ];
}

/** What the rollback destroys: tables and columns with rows and bytes, sequences, then every other object. */
export function renderLossCard(effect: Effect): string[] {
  const { tables, columns, sequences } = effect;
  const rows = [
    ...tables.map((lost) => [
      "table",
      `${lost.schema}.${lost.table}`,
      count(lost.rows, "row"),
      bytes(lost.bytes),
      lost.writtenSince === null ? "-" : `${lost.writtenSince.toLocaleString("en-US")} written since`,
    ]),
    ...columns.map((lost) => [
      "columns",
      `${lost.schema}.${lost.table} (${lost.columns.join(", ")})`,
      `${count(lost.rows, "row")} with a value`,
      bytes(lost.bytes),
      lost.key === null ? paint("red", "no key to merge by") : `merged by ${lost.key.join(", ")}`,
    ]),
    ...sequences.map((lost) => ["sequence", `${lost.schema}.${lost.name}`, `at ${lost.lastValue}`, "-", "-"]),
  ];
  return [
    paint("bold", "What is lost from the database (and kept in the archive)"),
    ...(rows.length === 0
      ? ["  no rows"]
      : table(["kind", "name", "rows", "size", "note"], rows).map((line) => `  ${line}`)),
    ...effect.opaque.map(
      (statement) =>
        `  ${mark.open()} line ${statement.line}: ${statement.statement}: ${statement.why} ${paint("dim", "(the execution guard decides)")}`,
    ),
  ];
}

/** Every object with `all`, else those that the SQL names and a count of those that go with them. */
function renderObjects(effect: Effect, all: boolean): string[] {
  if (effect.objects.length === 0) return [];
  const named = effect.objects.filter((object) => object.by === "statement");
  const rest = effect.objects.length - named.length;
  const shown = all ? effect.objects : named;
  const lines = shown.map((object) => {
    const name = `${object.kind} ${object.schema === null ? "" : `${object.schema}.`}${object.name}`;
    return `  ${object.change.padEnd(9)}  ${name}${object.by === "cascade" ? paint("dim", "  (goes with another object)") : ""}`;
  });
  const more =
    all || rest === 0
      ? []
      : [paint("dim", `  and ${count(rest, "object")} that go with them; --dry-run or --json names each`)];
  return ["", paint("bold", `Objects (${effect.objects.length})`), ...lines, ...more];
}

export function renderGates(gates: readonly Gate[]): string[] {
  const state = (gate: Gate) => {
    if (gate.state === "passed" || gate.state === "waived") return mark.yes();
    return gate.state === "failed" ? mark.no() : mark.open();
  };
  const rows = gates.map(
    (gate) =>
      `  ${state(gate)} ${gate.name.padEnd(18)} ${gate.state.padEnd(13)} ${indentAfterFirst(gate.evidence, 37)}`,
  );
  const next = gates
    .filter((gate) => gate.state === "failed" && gate.next !== null)
    .map((gate) => `  → ${gate.name}: ${gate.next}`);
  return [paint("bold", "Gates"), ...rows, ...(next.length > 0 ? ["", paint("bold", "Next"), ...next] : [])];
}

function renderLocks(plan: Plan): string[] {
  if (plan.locks.length === 0) return [];
  const locks = plan.locks.map(
    (lock) => `  ${lock.mode.padEnd(22)} ${lock.schema}.${lock.relation}  ${paint("dim", lock.because)}`,
  );
  const blockers = plan.blockers.map(
    (blocker) =>
      `  ${mark.no()} pid ${blocker.pid} (${blocker.role}, ${blocker.state}, ${Math.round(blocker.ageSeconds)} s) holds ${blocker.relation}: ${blocker.query}`,
  );
  return [paint("bold", "Locks"), ...locks, ...blockers, ""];
}

/** Keeps a text of several lines (a syntax error with its caret) in its column. */
function indentAfterFirst(text: string, width: number): string {
  return text.split("\n").join(`\n${" ".repeat(width)}`);
}

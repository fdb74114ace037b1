import { qualified } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";
import { sqlState, sqlStateOf } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { plural } from "../../words.ts";
import { parseTable } from "../transaction/column-order.ts";
import { columnsOf } from "./columns.ts";
import { conflict } from "./conflicts.ts";
import { tableKeyOf } from "./left-to-do.ts";
import type { UndoConflict } from "./plan-types.ts";
import type { Undoable } from "./types.ts";

const name = /(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)/.source;
const list = `\\((${name}(?:, ${name})*)\\)`;
const added = new RegExp(`^\\s*ALTER TABLE (?:ONLY )?(${name}\\.${name})\\s+ADD CONSTRAINT (${name}) (.*);\\s*$`, "s");
const unique = new RegExp(`^(UNIQUE|PRIMARY KEY) ${list}`);
const foreign = new RegExp(`^FOREIGN KEY ${list} REFERENCES (${name}\\.${name})${list}`);
const check = /^CHECK \((.*)\)(?: NO INHERIT)?$/s;

/** A plan runs nobody's code: checks that call functions are left to the undo itself. */
const calls = /(?<![\w"])(?!(?:and|or|not|in|any|all|is|like)\b)(?:[a-z_][\w$]*|"(?:[^"]|"")+")\s*\(/i;

/**
 * Constraints that come back on tables whose rows stay: what is there now may not fit. Only what can be asked before anything runs;
 * the rest is found when they are put back, and nothing changes either.
 */
export async function rowsThatDoNotFit(session: Session, work: Undoable): Promise<UndoConflict[]> {
  const { remembered, manifest } = work;
  const written = new Set([
    ...remembered.rewritten.map(tableKeyOf),
    ...remembered.made.map(tableKeyOf),
    ...(manifest?.tables ?? []).map((table) => tableKeyOf(table.mergesInto ?? table)),
    ...remembered.removed.map(({ key }) => key),
  ]);
  const stays = ({ dependencies }: Entry) => !dependencies.some((key) => written.has(key));
  const comes = [
    ...remembered.removed,
    ...remembered.changed.map((change) => change.before),
    ...remembered.changed.flatMap(checksWithin),
  ];
  const found: UndoConflict[] = [];
  for (const entry of comes) {
    const question = stays(entry) ? questionOf(entry) : null;
    if (question !== null && (await holds(session, question.sql)))
      found.push(
        conflict(
          "rows_do_not_fit",
          entry.key,
          `rows of ${question.table} do not fit ${question.constraint}, which comes back`,
        ),
      );
  }
  return [...found, ...(await nullsInTheWay(session, work))];
}

/** Checks stand in the table's own text. */
function checksWithin({ before, after }: { readonly before: Entry; readonly after: Entry }): Entry[] {
  const [was, is] = [parseTable(before.create), parseTable(after.create)];
  if (before.kind !== "TABLE" || was === null || is === null) return [];
  const table = qualified(after.schema, after.name);
  return was.items
    .filter((item) => item.startsWith("CONSTRAINT ") && !is.items.includes(item))
    .map((item) => ({ ...before, create: `ALTER TABLE ${table} ADD ${item};`, dependencies: [before.key] }));
}

interface Question {
  readonly table: string;
  readonly constraint: string;
  /** Answers whether a row breaks it. */
  readonly sql: string;
}

function questionOf({ create }: Entry): Question | null {
  const parts = create.match(added);
  if (parts === null) return null;
  const [, table, constraint, rule] = parts as unknown as [string, string, string, string];
  if (rule.endsWith(" NOT VALID")) return null;
  const asked = { table, constraint: `"${constraint.replace(/^"|"$/g, "")}"` };
  const key = rule.match(unique);
  if (key !== null) {
    const columns = key[2]!;
    const nulls = key[1] === "UNIQUE" ? "" : `exists (select from ${table} where num_nulls(${columns}) > 0) or `;
    const twice = `select from ${table} where num_nulls(${columns}) = 0 group by ${columns} having count(*) > 1`;
    return { ...asked, sql: `${nulls}exists (${twice})` };
  }
  const leads = rule.match(foreign);
  if (leads !== null) {
    const [own, others] = [leads[1]!.split(", "), leads[3]!.split(", ")];
    const same = own.map((column, index) => `p.${others[index]} = c.${column}`).join(" and ");
    const all = own.map((column) => `c.${column}`).join(", ");
    const parent = `exists (select from ${leads[2]} p where ${same})`;
    return { ...asked, sql: `exists (select from ${table} c where num_nulls(${all}) = 0 and not ${parent})` };
  }
  const condition = rule.match(check);
  return condition === null || calls.test(condition[1]!)
    ? null
    : { ...asked, sql: `exists (select from ${table} where not (${condition[1]}))` };
}

/** NOT NULL that comes back, on a column that is there, or on a lost one that rows of since have no value for. */
async function nullsInTheWay(session: Session, { remembered, manifest }: Undoable): Promise<UndoConflict[]> {
  const whole = new Set(remembered.rewritten.map(({ oid }) => oid));
  const found: UndoConflict[] = [];
  for (const { before, after } of remembered.changed) {
    const [was, is] = [parseTable(before.create), parseTable(after.create)];
    if (before.kind !== "TABLE" || was === null || is === null || whole.has(after.address.objid)) continue;
    const [table, now] = [qualified(after.schema, after.name), columnsOf(is)];
    const side = manifest?.tables.find(
      ({ mergesInto }) => mergesInto?.schema === before.schema && mergesInto?.table === before.name,
    );
    for (const column of [...columnsOf(was).values()].filter(({ notNull }) => notNull)) {
      const there = now.get(column.name);
      const say = (rows: string) =>
        found.push(
          conflict(
            "rows_do_not_fit",
            before.key,
            `column ${column.name} of ${table} comes back NOT NULL, and ${rows} would have null values`,
          ),
        );
      if (
        there?.notNull === false &&
        (await holds(session, `exists (select from ${table} where ${column.name} is null)`))
      )
        say("rows of now");
      const filled =
        column.expression !== null || !side?.mergesInto?.columns.some((one) => quoted(one) === quoted(column.name));
      if (there !== undefined || filled) continue;
      const [row] = await session.run(`select count(*)::float8 as rows from only ${table}`);
      if (row!.rows > side!.rows) say(plural(row!.rows - side!.rows, "row that came since", "rows that came since"));
    }
  }
  return found;
}

function quoted(column: string): string {
  return column.replace(/^"(.*)"$/, "$1").replaceAll('""', '"');
}

/** What cannot be asked now (a column that is still to come) is not foretold. */
async function holds(session: Session, question: string): Promise<boolean> {
  await session.run("savepoint belay_foretell");
  try {
    const [row] = await session.run(`select ${question} as broken`);
    await session.run("release savepoint belay_foretell");
    return row!.broken === true;
  } catch (error) {
    if (!session.alive || sqlStateOf(error) === sqlState.lockNotAvailable) throw error;
    await session.run("rollback to savepoint belay_foretell");
    return false;
  }
}

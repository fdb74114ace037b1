import type { BelayError } from "../../../shared/errors.ts";
import type { Plan } from "../../../shared/rollback/types.ts";
import type { Published } from "./corpus.ts";
import { connect } from "./state.ts";

export interface Judgement {
  readonly right: boolean;
  readonly why: string;
}

/** Whether a refusal is right, by what the rollback does without Belay and by what was measured of it. */
export async function judgeRefusal(
  url: string,
  published: Published,
  plan: Plan,
  failure: BelayError,
): Promise<Judgement> {
  const byHand = await runByHand(url, published.down);
  if (failure.code === "sql_failed" || failure.code === "sql_syntax")
    return byHand === null ? no("the SQL runs by hand") : yes(`by hand too: ${byHand}`);
  if (failure.code === "end_state_differs") {
    const real = published.classes.filter((word) => word !== "column-order");
    if (published.verdict === "non-inverse" && real.length > 0) return yes(`no inverse: ${real.join(", ")}`);
    return no(`measured as ${published.verdict} ${published.classes.join(", ")}`);
  }
  if (failure.code === "guard_loss" && /\bdo\s+(\$|language)/i.test(published.down)) return yes("hidden in a DO block");
  if (failure.code !== "gate_failed") return no("nothing speaks for it");
  const failed = plan.gates.filter(({ state, blocking }) => state === "failed" && blocking);
  const reasons = await Promise.all(failed.map((gate) => judgeGate(url, published, plan, gate.name, byHand)));
  return {
    right: reasons.every(({ right }) => right),
    why: reasons.map(({ why }, index) => `${failed[index]!.evidence} (${why})`).join("; "),
  };
}

async function judgeGate(
  url: string,
  published: Published,
  plan: Plan,
  gate: string,
  byHand: string | null,
): Promise<Judgement> {
  if (gate === "rollback_sql") return isComment(published.down) ? yes("only comments") : no("there is SQL");
  if (gate === "undoable") return await judgeUndoable(url, plan);
  if (gate === "provenance")
    return published.verdict === "inverse" ? no("measured as inverse") : yes(`no inverse: ${published.classes}`);
  if (gate === "syntax" || gate === "supported") return byHand === null ? no("runs by hand") : yes(byHand);
  return no("nothing speaks for it");
}

/** A row is found again by a unique key of columns that are never null and stay. */
async function judgeUndoable(url: string, plan: Plan): Promise<Judgement> {
  const sql = connect(url);
  try {
    for (const { oid, columns, key, schema, table } of plan.effect.columns) {
      if (key !== null) continue;
      const keys = await sql.unsafe(`
        select i.indexrelid::regclass::text as name, i.indimmediate,
               array(select attname::text from pg_attribute where attrelid = i.indrelid and attnum = any(i.indkey[0:i.indnkeyatts-1])) as columns
          from pg_index i where i.indrelid = ${oid} and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
           and not exists (select from pg_attribute where attrelid = i.indrelid and attnum = any(i.indkey[0:i.indnkeyatts-1]) and not attnotnull)`);
      const fit = keys.find((one) => !(one.columns as string[]).some((name) => columns.includes(name)));
      if (fit !== undefined) return no(`${schema}.${table} has the key ${fit.name}`);
    }
    return yes("no key that stays");
  } finally {
    await sql.end();
  }
}

function isComment(sql: string): boolean {
  return (
    sql
      .replace(/--.*$/gm, "")
      .replace(/\/\*[\s\S]*?\*\//g, "")
      .replace(/[;\s]/g, "") === ""
  );
}

async function runByHand(url: string, down: string): Promise<string | null> {
  const sql = connect(url);
  try {
    await sql.unsafe(`begin;\n${down.replace(/\bconcurrently\b/gi, "")}\n;set constraints all immediate`);
    return null;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await sql.unsafe("rollback").catch(() => {});
    await sql.end();
  }
}

function yes(why: string): Judgement {
  return { right: true, why };
}

function no(why: string): Judgement {
  return { right: false, why };
}

import { listArchives } from "../../shared/archive/list.ts";
import { verifyArchive } from "../../shared/archive/verify.ts";
import { verifyAudit } from "../../shared/audit.ts";
import type { Session } from "../../shared/postgres/session.ts";
import { settleEarlierAttempts } from "../../shared/rollback/transaction/settle.ts";
import { openStore } from "../../shared/store/open.ts";
import { differences, onSession, type Records, readRecords, readState } from "./state.ts";
import { type Course, slownessOf } from "./templates.ts";
import type { World } from "./world.ts";

/** Which of the two states a database is in, by all that can be asked; `wrong` names what does not fit. */
export interface Verdict {
  readonly side: "before" | "after" | "neither";
  readonly wrong: string[];
}

/** Longest time until what a broken command left in the server is gone, on an idle machine. */
const leftoversGoWithinMs = 14_000;

/** (v) No lock, session, transaction, prepared transaction or temporary object outlives the limits. */
export async function waitForNothingLeft(world: World, database: string, course: Course): Promise<string[]> {
  const limitMs = leftoversGoWithinMs * slownessOf(course);
  const since = performance.now();
  for (;;) {
    const rows = await world.run(leftovers(database)).catch((error) => [{ error: String(error) }]);
    if (rows.length === 0) return [];
    if (performance.now() - since > limitMs) return [`left over: ${JSON.stringify(rows[0])}`];
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

function leftovers(database: string): string {
  return `select 'session' as what, application_name as name, state, left(query, 80) as query from pg_stat_activity where datname = '${database}'
    union all select 'prepared transaction', gid, '', '' from pg_prepared_xacts where database = '${database}'
    union all select 'lock', l.mode, l.locktype, '' from pg_locks l join pg_database d on d.oid = l.database where d.datname = '${database}' and l.pid is distinct from pg_backend_pid()`;
}

/** (i) to (iv): state, records, archives and audit log, as an independent reader has them after settling. */
export async function judgeDatabase(
  world: World,
  course: Course,
  place: { database: string; prefix: string },
): Promise<Verdict> {
  return onSession(world.url(place.database), async (session) => {
    const wrong: string[] = [];
    await settleEarlierAttempts(session);
    const state = await readState(session);
    const fromBefore = differences(state, course.before.state);
    const fromAfter = course.after === null ? ["the action always fails"] : differences(state, course.after.state);
    const side = fromBefore.length === 0 ? "before" : fromAfter.length === 0 ? "after" : "neither";
    if (side === "neither") wrong.push(`neither before (${fromBefore.join("; ")}) nor after (${fromAfter.join("; ")})`);
    const records = await readRecords(session);
    wrong.push(...judgeRecords(records, course, side));
    const audit = await verifyAudit(session);
    if (!audit.ok) wrong.push(`audit log: ${audit.problem}`);
    wrong.push(...(await temporary(session)));
    wrong.push(...(await judgeArchives(world, place.prefix, records)));
    return { side, wrong };
  });
}

function judgeRecords(records: Records, course: Course, side: Verdict["side"]): string[] {
  if (side === "neither") return [];
  const wanted = side === "before" ? course.before.records : course.after!.records;
  const wrong: string[] = [];
  const same = (what: "ledger" | "tracked") => {
    if (records[what].join() !== wanted[what].join())
      wrong.push(`${what} says ${records[what].join(", ")} in the state ${side}`);
  };
  same("ledger");
  same("tracked");
  const counts = (list: readonly string[]) =>
    list
      .filter((one) => !one.endsWith(" failed"))
      .sort()
      .join(", ");
  if (counts(records.rollbacks) !== counts(wanted.rollbacks))
    wrong.push(`belay.rollbacks says ${records.rollbacks.join(", ")} in the state ${side}`);
  return wrong;
}

/** What is listed is whole, and what undo needs is there. */
async function judgeArchives(world: World, prefix: string, { needed }: Records): Promise<string[]> {
  const store = openStore(world.storeUrl(prefix), world.credentials);
  const wrong: string[] = [];
  const ids = (await listArchives(store)).map(({ id }) => id);
  for (const id of ids) {
    const { problems } = await verifyArchive(store, id);
    if (problems.length > 0) wrong.push(`the listed archive ${id} is not whole: ${problems.join("; ")}`);
  }
  for (const id of needed) if (!ids.includes(id)) wrong.push(`the archive ${id}, which undo needs, is not listed`);
  return wrong;
}

async function temporary(session: Session): Promise<string[]> {
  const rows = await session.sql`
    select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname like 'pg_temp%' or n.nspname = 'belay' and c.relname like '%tmp%'`;
  return rows.map(({ name }) => `${name} is left over`);
}

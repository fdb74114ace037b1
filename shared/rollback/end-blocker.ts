import { appendAudit } from "../audit.ts";
import type { Belay } from "../context.ts";
import { BelayError } from "../errors.ts";
import { inTransaction } from "../migrations/transaction.ts";
import { databaseError, sqlState, sqlStateOf } from "../postgres/errors.ts";
import type { Session } from "../postgres/session.ts";
import { ownPath } from "../postgres/settings.ts";
import { type Blocker, readBlockers } from "./plan/blockers.ts";
import type { Plan } from "./types.ts";

export interface EndBlockerRequest {
  /** What the blocker is in the way of. */
  readonly plan: Pick<Plan, "hash" | "migration"> & { readonly locks: readonly { oid: number; mode: string }[] };
  readonly pid: number;
  /** `cancel` ends what it runs now, `terminate` its connection. */
  readonly how: "cancel" | "terminate";
}

/** What became of it. */
export interface EndedBlocker {
  readonly pid: number;
  readonly how: EndBlockerRequest["how"];
  readonly role: string;
  /** `gone`: the session ended. `free`: it is there, and no longer in the way. `blocking`: it still is. */
  readonly now: "gone" | "free" | "blocking";
}

/** How long a session is given to let go, in milliseconds. */
const patienceMs = 3_000;

/**
 * Cancels or terminates a session that is in the way of the plan at this moment, on record in the audit log. Throws
 * `usage` when that pid is none (also our own), `forbidden` when the role may not.
 */
export async function endBlocker(belay: Belay, request: EndBlockerRequest): Promise<EndedBlocker> {
  const session = await belay.openSession({ applicationName: "belay blockers", parameters: ownPath });
  try {
    const blocker = await requireBlocker(session, request);
    await signal(belay, session, request, blocker);
    return { pid: request.pid, how: request.how, role: blocker.role, now: await waitFor(session, request) };
  } catch (error) {
    throw databaseError(error, { url: belay.settings.database, doing: `ending pid ${request.pid}` });
  } finally {
    await session.close();
  }
}

async function requireBlocker(session: Session, { plan, pid }: EndBlockerRequest): Promise<Blocker> {
  const blockers = await readBlockers(session, plan.locks);
  const found = blockers.find((each) => each.pid === pid);
  if (found !== undefined) return found;
  const others = blockers.flatMap((each) => each.pid ?? []);
  throw new BelayError("usage", `pid ${pid} is not in the way of the rollback of ${plan.migration}`, {
    hint: others.length === 0 ? "Nobody is in the way now." : `In the way now: pid ${others.join(", ")}.`,
    details: { pid, blockers: others },
  });
}

/** The audit row is written first, in the same transaction: a signal cannot be taken back. */
async function signal(belay: Belay, session: Session, request: EndBlockerRequest, blocker: Blocker): Promise<void> {
  const { plan, pid, how } = request;
  try {
    await inTransaction(session, `ending pid ${pid}`, async () => {
      await appendAudit(session, {
        actor: belay.actor,
        action: `blocker.${how}`,
        subject: plan.migration,
        details: { pid, role: blocker.role, relation: blocker.relation, state: blocker.state, planHash: plan.hash },
      });
      await send(session, request);
    });
  } catch (error) {
    const cause = (error as { cause?: unknown }).cause;
    if (![sqlStateOf(error), sqlStateOf(cause)].includes(sqlState.insufficientPrivilege)) throw error;
    throw await mayNot(session, request, blocker, error);
  }
}

/** In one statement with a look at its locks: a pid that was given to another session meanwhile is left alone. */
async function send({ sql }: Session, { plan, pid, how }: EndBlockerRequest): Promise<void> {
  const oids = plan.locks.map(({ oid }) => String(oid));
  await sql`
    select ${how === "cancel" ? sql`pg_cancel_backend(${pid})` : sql`pg_terminate_backend(${pid})`}
     where exists (
       select from pg_locks l where l.pid = ${pid} and l.relation = any (${oids}::text[]::oid[])
          and l.database = (select oid from pg_database where datname = current_database()))`;
}

/** Which right is missing (PostgreSQL manual, "Server Signaling Functions"). */
async function mayNot(session: Session, { pid, how }: EndBlockerRequest, blocker: Blocker, cause: unknown) {
  const [row] = await session.sql`
    select current_user as me, coalesce((select rolsuper from pg_roles where rolname = ${blocker.role}), true) as super`;
  const hint =
    blocker.kind === "session" && row!.super === false
      ? `Let a superuser grant it: grant pg_signal_backend to ${row!.me}; or connect as ${blocker.role}.`
      : `Only a superuser may ${how} ${blocker.kind === "session" ? "a superuser's session" : "it"}: ask one, or wait until it is done.`;
  return new BelayError("forbidden", `role ${row!.me} may not ${how} pid ${pid} of role ${blocker.role || "(none)"}`, {
    hint,
    details: { pid, role: blocker.role },
    cause,
  });
}

async function waitFor(session: Session, { plan, pid }: EndBlockerRequest): Promise<EndedBlocker["now"]> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const blocks = (await readBlockers(session, plan.locks)).some((each) => each.pid === pid);
    const [row] = await session.sql`select exists (select from pg_stat_activity where pid = ${pid}) as alive`;
    if (!row!.alive) return "gone";
    if (!blocks) return "free";
    if (performance.now() > until) return "blocking";
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

import { appendAudit } from "../../audit.ts";
import type { Belay } from "../../context.ts";
import { inTransaction } from "../../migrations/transaction.ts";
import type { Session } from "../../postgres/session.ts";
import { ownPath } from "../../postgres/settings.ts";
import { within } from "./attempts.ts";
import type { TimelineEvent } from "./types.ts";

/** One more thing that happened; `audit`: the action under which the audit log has it too. */
export interface Noted {
  readonly event: string;
  readonly state?: TimelineEvent["state"];
  readonly evidence?: string;
  readonly details?: unknown;
  readonly audit?: string;
  /** Kept until something else is written: now the SQL's locks are held. */
  readonly later?: boolean;
}

/** Writes down what happens around one rollback, on a session of its own. A database that is away costs the record, never the rollback. */
export interface Journal {
  readonly events: readonly TimelineEvent[];
  /** What could not be written down. */
  readonly notes: readonly string[];
  /** Opens the record and holds it for this process, so that no other run settles what is still going on. */
  begin(rollbackId: string): Promise<void>;
  note(noted: Noted): void;
  /** Runs work on the journal's session, after what was asked for before; throws what it throws. */
  on<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** The next work gets a new connection: another one was lost, and this one may only seem to be there. */
  renew(): void;
  /** Waits until all is written, for some seconds at most. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const limits = { lock_timeout: "5s", statement_timeout: "10s" } as const;
const silenceMs = 12_000;
const patienceMs = 15_000;

export function openJournal(belay: Belay): Journal {
  const events: TimelineEvent[] = [];
  const notes: string[] = [];
  const unwritten: (Noted & { readonly at: Date })[] = [];
  let rollbackId: string | null = null;
  let session: Session | null = null;
  let queue: Promise<unknown> = Promise.resolve();
  // Times are the database's, as those of its own records are.
  let offset = 0;

  const connect = async (): Promise<Session> => {
    if (session?.alive === true) return session;
    session = await belay.openSession({
      applicationName: "belay around",
      parameters: { ...ownPath, ...limits },
      silenceMs,
    });
    if (rollbackId !== null) await hold(session, rollbackId);
    return session;
  };
  const on = <T>(work: (session: Session) => Promise<T>): Promise<T> => {
    const done = queue.then(async () => work(await connect()));
    queue = done.catch(() => {});
    return done;
  };
  const write = async (open: Session) => {
    while (unwritten.length > 0) {
      await insert(open, belay.actor, rollbackId!, unwritten[0]!);
      unwritten.shift();
    }
  };
  const flush = async () => {
    if (rollbackId === null) return;
    const failed = (why: string) => {
      const note = `what happened around it is not wholly on record: ${why}`;
      if (unwritten.length > 0 && !notes.includes(note)) notes.push(note);
    };
    const late = () => {
      void session?.destroy().catch(() => {});
      failed("the database did not answer");
    };
    await within(
      patienceMs,
      on(write).catch(() => failed("the database refused it or is away")),
      late,
    );
  };
  return {
    events,
    notes,
    on,
    renew: () => void session?.destroy().catch(() => {}),
    flush,
    async begin(id) {
      rollbackId = id;
      const open = on(async ({ sql }) => {
        const [row] = await sql`select clock_timestamp() as now`;
        offset = (row!.now as Date).getTime() - belay.now().getTime();
      });
      await within<void>(
        patienceMs,
        open.catch(() => {}),
        () => {},
      );
    },
    note(noted) {
      const at = new Date(belay.now().getTime() + offset);
      const { event, state = "done", evidence = "" } = noted;
      events.push({ at: at.toISOString(), event, state, evidence });
      unwritten.push({ ...noted, at });
      if (noted.later !== true && rollbackId !== null) on(write).catch(() => {});
    },
    async close() {
      await flush();
      await session?.close().catch(() => {});
    },
  };
}

async function insert(session: Session, actor: string, rollbackId: string, noted: Noted & { readonly at: Date }) {
  const { sql } = session;
  const { event, state = "done", evidence = "", details = {}, at, audit } = noted;
  const write = () => sql`
    insert into belay.rollback_events (rollback_id, at, event, state, evidence, details)
    values (${rollbackId}, ${at}, ${event}, ${state}, ${evidence}, ${sql.json(details as never)})`;
  if (audit === undefined) return void (await write());
  await inTransaction(session, "writing down what happened", async () => {
    await write();
    await appendAudit(session, { actor, action: audit, subject: rollbackId, details: { state, evidence } });
  });
}

/** A lock of the session: it is free again as soon as the process is gone. */
async function hold({ sql }: Session, rollbackId: string): Promise<void> {
  await sql`select pg_try_advisory_lock(hashtext('belay.around'), hashtext(${rollbackId}))`;
}

/** Whether the process that works around this rollback is gone; then this session has its place until it gives it back. */
export async function takeOver({ sql }: Session, rollbackId: string): Promise<boolean> {
  const [row] = await sql`select pg_try_advisory_lock(hashtext('belay.around'), hashtext(${rollbackId})) as taken`;
  return row!.taken as boolean;
}

export async function giveBack({ sql }: Session, rollbackId: string): Promise<void> {
  await sql`select pg_advisory_unlock(hashtext('belay.around'), hashtext(${rollbackId}))`;
}

/** One rollback at a time has its hooks and maintenance: another's end would switch off what this one needs. False: another has. */
export async function takeTurn({ sql }: Session): Promise<boolean> {
  const [row] = await sql`select pg_try_advisory_lock(hashtext('belay.around'), hashtext('turn')) as taken`;
  return row!.taken as boolean;
}

export async function giveTurnBack({ sql }: Session): Promise<void> {
  await sql`select pg_advisory_unlock(hashtext('belay.around'), hashtext('turn'))`;
}

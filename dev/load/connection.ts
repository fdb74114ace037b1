import { openSession, type Session } from "../../shared/postgres/session.ts";

/** Numbers that are drawn from a sequence at once, to be used one by one. */
const drawnAtOnce = 10;

/** A connection that several writers share: what they send is on its way at the same time, and done in order. */
export interface Connection {
  session(): Session;
  /** A number of the table's sequence, perhaps drawn some time ago, as an application's cache of them has it. */
  draw(table: string): Promise<string>;
  /** Waits for another session in the place of one that was lost. */
  renew(lost: Session): Promise<void>;
}

export async function openConnection(url: string): Promise<Connection> {
  let session = await connect(url);
  let renewing: Promise<void> | null = null;
  const drawn = new Map<string, string[]>();

  async function connectAgain(): Promise<void> {
    try {
      session = await connect(url);
    } finally {
      renewing = null;
    }
  }

  return {
    session: () => session,
    draw: async (table) => {
      const numbers = drawn.get(table) ?? [];
      drawn.set(table, numbers);
      if (numbers.length === 0) {
        const rows = await session.run(
          `select nextval('${table}_id_seq')::text as id from generate_series(1, ${drawnAtOnce})`,
        );
        numbers.push(...rows.map(({ id }) => id));
      }
      return numbers.shift()!;
    },
    renew: async (lost) => {
      if (session !== lost) return;
      renewing ??= connectAgain();
      await renewing;
    },
  };
}

async function connect(url: string): Promise<Session> {
  const session = await openSession(url, { applicationName: "load writer" });
  await session.run("set synchronous_commit = off");
  return session;
}

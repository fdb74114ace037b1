import { openSession, type Session } from "../../shared/postgres/session.ts";

/** Databases of one run: made as copies of one another, and dropped together. */
export interface Databases {
  urlOf(name: string): string;
  create(name: string): Promise<void>;
  /** The source must have no session; waits for backends that are still leaving. */
  copy(from: string, to: string): Promise<void>;
  drop(name: string): Promise<void>;
  dropAll(): Promise<void>;
}

export function openDatabases(server: string): Databases {
  const prefix = `belay_undo_${process.pid}_${Math.random().toString(36).slice(2, 8)}_`;
  const existing = new Set<string>();
  const run = (text: string) => withSession(server, (session) => session.run(text));
  const drop = async (name: string) => {
    if (existing.delete(name)) await run(`drop database if exists ${prefix}${name} with (force)`);
  };
  return {
    urlOf: (name) => {
      const url = new URL(server);
      url.pathname = `/${prefix}${name}`;
      return url.href;
    },
    create: async (name) => {
      existing.add(name);
      await run(`create database ${prefix}${name}`);
    },
    copy: async (from, to) => {
      existing.add(to);
      for (let attempt = 1; ; attempt++)
        try {
          await run(`create database ${prefix}${to} template ${prefix}${from}`);
          return;
        } catch (error) {
          if (attempt === 50) throw error;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
    },
    drop,
    dropAll: async () => {
      for (const name of [...existing]) await drop(name);
    },
  };
}

export async function withSession<T>(url: string, use: (session: Session) => Promise<T>): Promise<T> {
  const session = await openSession(url);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

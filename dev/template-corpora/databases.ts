import { openSession, type Session } from "../../shared/postgres/session.ts";
import { withDatabase } from "../../shared/postgres/url.ts";

/** A database in the state before a migration, and one copy of it at a time. */
export interface Databases {
  readonly beforeUrl: string;
  onBefore(work: (session: Session) => Promise<void>): Promise<void>;
  /** Makes the copy; answers its URL. */
  copyBefore(): Promise<string>;
  dropCopy(): Promise<void>;
  close(): Promise<void>;
}

export async function openDatabases(server: string, prefix: string): Promise<Databases> {
  const [before, copy] = [`${prefix}_before`, `${prefix}_after`];
  const control = await openSession(server, { applicationName: "belay corpora" });
  const drop = async (name: string) => {
    await control.run(`drop database if exists "${name}" with (force)`);
  };
  await drop(before);
  await drop(copy);
  await control.run(`create database "${before}" template template0`);
  const beforeUrl = withDatabase(server, before);
  return {
    beforeUrl,
    onBefore: async (work) => {
      const session = await openSession(beforeUrl, { applicationName: "belay corpora" });
      await work(session).finally(() => session.close());
    },
    copyBefore: async () => {
      // A backend that just ended may be listed for a moment.
      for (let tries = 0; ; tries++)
        try {
          await control.run(`create database "${copy}" template "${before}"`);
          return withDatabase(server, copy);
        } catch (error) {
          if (tries === 40) throw error;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
    },
    dropCopy: () => drop(copy),
    close: async () => {
      await drop(copy);
      await drop(before);
      await control.close();
    },
  };
}

import { pathToFileURL } from "node:url";
import type { Belay } from "../../shared/context.ts";
import { installBelay } from "../../shared/install.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import type { Policy } from "../../shared/rollback/plan/policy.ts";
import { openStore } from "../../shared/store/open.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { createDatabase, serverUrl } from "../support/postgres.ts";

/** A database with Belay installed, a folder store, and the context that apps get. */
export interface World {
  readonly url: string;
  readonly storeFolder: string;
  readonly storeUrl: string;
  readonly scratchUrl: string;
  readonly session: Session;
  belay(actor?: string, subject?: string, policy?: Policy): Belay;
  drop(): Promise<void>;
}

export async function makeWorld(): Promise<World> {
  const database = await createDatabase();
  const scratchUrl = await serverUrl();
  const storeFolder = temporaryFolder();
  const storeUrl = pathToFileURL(storeFolder).href;
  const store = openStore(storeUrl);
  const session = await openSession(database.url);
  await installBelay(session);
  return {
    url: database.url,
    storeFolder,
    storeUrl,
    scratchUrl,
    session,
    belay: (actor = "tester", subject, policy) =>
      testBelay({
        database: database.url,
        store,
        scratch: scratchUrl,
        actor,
        ...(subject === undefined ? {} : { subject }),
        ...(policy === undefined ? {} : { settings: { policy } }),
      }),
    drop: async () => {
      await session.close();
      await database.drop();
    },
  };
}

import { existsSync, statSync } from "node:fs";
import { openArchive } from "../shared/archive/read/open.ts";
import type { OpenedArchive } from "../shared/archive/read/types.ts";
import { layoutNames, type Settings } from "../shared/config.ts";
import type { Belay } from "../shared/context.ts";
import { BelayError } from "../shared/errors.ts";
import { readMigrationFolder } from "../shared/migrations/read-folder.ts";
import type { MigrationFolder } from "../shared/migrations/types.ts";
import { openSession } from "../shared/postgres/session.ts";
import { openStore, type StoreCredentials } from "../shared/store/open.ts";
import type { ObjectStore } from "../shared/store/types.ts";
import { archivePlace } from "./places.ts";
import type { Terminal } from "./terminal.ts";

/** The adapters of a command line: a store and database that complain only when a verb needs them. */
export function openBelay(settings: Settings, credentials: Partial<StoreCredentials>, terminal: Terminal): Belay {
  let store: ObjectStore | undefined;
  return {
    settings,
    actor: settings.actor,
    openSession: (options) => {
      if (settings.database === undefined) return Promise.reject(missing("database", "BELAY_DATABASE_URL"));
      return openSession(settings.database, options);
    },
    get store() {
      if (settings.store === undefined) throw missing("store", "BELAY_STORE");
      store ??= openStore(settings.store, credentials);
      return store;
    },
    scratchUrl: settings.scratch ?? null,
    report: (progress) => terminal.progress(progress),
    now: () => new Date(),
  };
}

function missing(setting: string, variable: string): BelayError {
  return new BelayError("usage", `no ${setting} is set`, { hint: `Pass --${setting} or set ${variable}.` });
}

/** Opens any archive for reading; only an id needs the store of the settings. */
export async function openArchiveNamed(
  word: string,
  belay: Pick<Belay, "store">,
  credentials: Partial<StoreCredentials>,
): Promise<OpenedArchive> {
  const place = archivePlace(word);
  return await openArchive(place, { credentials, ...(place.includes("://") ? {} : { store: belay.store }) });
}

/** Reads the migrations folder of the settings; throws `usage` when there is none. */
export async function openFolder(settings: Settings): Promise<MigrationFolder> {
  if (!isDirectory(settings.migrations))
    throw new BelayError("usage", `no migrations folder at ${settings.migrations}`, {
      hint: `Pass --migrations DIR (and --layout ${layoutNames.join("|")} when it can't be told from the files).`,
    });
  return readMigrationFolder(settings.migrations, settings.layout);
}

export function isDirectory(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

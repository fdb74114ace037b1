import type { Session } from "../../../postgres/session.ts";
import type { ScriptTable } from "../../read/plain/names.ts";
import { openScriptSession } from "./script-session.ts";

const mostSettings = 200;

/** A second session that is set up as the script has set up the first: it takes a share of a large table's rows. */
export interface Helper {
  /** Remembers a setting that the script made, if any; null: another session cannot be put into that state. */
  follow(setting?: string | null): void;
  /** All settings are as at the beginning. */
  reset(): void;
  readonly usable: boolean;
  /** The session, with every setting; null when there is none to be had. */
  ready(): Promise<Session | null>;
  close(): Promise<void>;
}

export function createHelper(url: string, jobs: number): Helper {
  let settings: string[] = [];
  let usable = jobs > 1;
  let session: Session | null = null;
  let applied = 0;
  const close = async () => {
    await session?.close().catch(() => {});
    session = null;
    applied = 0;
  };
  return {
    follow(setting) {
      if (setting === undefined) return;
      if (setting === null || settings.length >= mostSettings) usable = false;
      else settings.push(setting);
    },
    reset() {
      settings = [];
      applied = Number.POSITIVE_INFINITY;
    },
    get usable() {
      return usable;
    },
    async ready() {
      if (!usable) return null;
      try {
        if (session === null || !session.alive || applied > settings.length) await close();
        session ??= await openScriptSession(url);
        for (; applied < settings.length; applied += 1) await session.run(settings[applied]!);
        return session;
      } catch {
        // One session alone does the work as well, only slower.
        usable = false;
        await close();
        return null;
      }
    },
    close,
  };
}

/** Whether two transactions may load a table at once: nothing looks from one row at another. */
export async function loadsApart(session: Session, { schema, table }: ScriptTable): Promise<boolean> {
  const [row] = await session.sql<{ apart: boolean }[]>`
    select c.relkind = 'r' and c.relpersistence = 'p' and not c.relhasindex and not c.relhastriggers
        and not c.relhasrules as apart
    from pg_catalog.pg_class c
    where c.oid = pg_catalog.to_regclass(
      case when ${schema}::text is null then format('%I', ${table}::text) else format('%I.%I', ${schema}::text, ${table}::text) end)`;
  return row?.apart === true;
}

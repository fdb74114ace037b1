import { databaseError } from "../postgres/errors.ts";
import type { Session } from "../postgres/session.ts";
import { type Account, type AccountAccess, accountAccess, parseAccount, readAccount } from "./account.ts";
import { withReadSettings } from "./read-settings.ts";
import { readWhole } from "./read-whole.ts";
import { rereadChanged } from "./reread.ts";
import type { Catalog, CatalogScope } from "./types.ts";
import { catalogOf, type WatchedState } from "./watched-state.ts";

/** Reads one database's catalog again and again while its objects change. */
export interface CatalogWatch {
  /** The catalog as this session sees it now, uncommitted changes included: equal to what readCatalog gives. */
  read(): Promise<Catalog>;
}

/** How many states are remembered: a rollback to a savepoint comes back to one of the last. */
const remembered = 6;

/**
 * Watches the catalog through a session that stays open, best opened with `prepare`. Only what changed since an earlier
 * read, and what depends on that, is read again. Takes no `only`.
 */
export function watchCatalog(session: Session, scope: Omit<CatalogScope, "only"> = {}): CatalogWatch {
  const states: WatchedState[] = [];
  let access: AccountAccess | undefined;
  const read = async (): Promise<Catalog> => {
    access ??= await accountAccess(session, scope.largeObjects ?? false);
    const account = await readAccount(session, access);
    const state = states.find((one) => one.account === account) ?? (await next(session, scope, account, states[0]));
    states.splice(0, states.length, state, ...states.filter((one) => one !== state).slice(0, remembered - 1));
    return state.catalog;
  };
  return {
    async read() {
      try {
        return await withReadSettings(session, read);
      } catch (error) {
        throw databaseError(error, { doing: "reading the catalog" });
      }
    },
  };
}

async function next(
  session: Session,
  scope: CatalogScope,
  account: Account,
  last: WatchedState | undefined,
): Promise<WatchedState> {
  const fingerprints = parseAccount(account);
  const read =
    (last === undefined ? null : await rereadChanged(session, scope, last, fingerprints)) ??
    (await readWhole(session, scope));
  return { account, fingerprints, read, catalog: catalogOf(read) };
}

import { addressKey } from "../../catalog/entry.ts";
import { snapshotExcludes } from "../../catalog/snapshots.ts";
import type { Catalog, Entry } from "../../catalog/types.ts";
import { type CatalogWatch, watchCatalog } from "../../catalog/watch.ts";
import type { Session } from "../../postgres/session.ts";

/** What a database holds at a moment: its entries, and what a dump would leave out or could not write. */
export interface State {
  readonly catalog: Catalog;
  /** Invalid indexes and objects without an entry, in an entry's form. */
  readonly beside: readonly Entry[];
}

/** Reads states of one database through one session. */
export interface StateReader {
  read(): Promise<State>;
}

/** A reader that rereads only what changed; `mayBeInvalid`: whether SQL has run that can leave an invalid index behind. */
export function readStates(session: Session, mayBeInvalid: () => boolean): StateReader {
  const watch: CatalogWatch = watchCatalog(session, { excludeSchemas: snapshotExcludes });
  return {
    read: async () => {
      const catalog = await watch.read();
      const invalid = mayBeInvalid() ? await invalidIndexes(session) : [];
      return { catalog, beside: [...invalid, ...catalog.unknown.map(unknownEntry)] };
    },
  };
}

async function invalidIndexes(session: Session): Promise<Entry[]> {
  const rows = await session.sql<{ schema: string; name: string; text: string }[]>`
    select n.nspname as schema, c.relname as name, pg_catalog.pg_get_indexdef(c.oid) as text
    from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where not i.indisvalid and c.relkind = 'i' and n.nspname !~ '^pg_' order by 1, 2`;
  return rows.map(({ schema, name, text }) => besideEntry("INVALID INDEX", schema, name, text));
}

function unknownEntry(object: Catalog["unknown"][number]): Entry {
  return { ...besideEntry(object.kind, null, object.identity, ""), hash: addressKey(object.address) };
}

function besideEntry(kind: string, schema: string | null, name: string, create: string): Entry {
  return {
    key: `${kind} ${schema ?? "-"} ${name}`,
    kind,
    schema,
    name,
    owner: null,
    section: "none",
    create,
    drop: null,
    tablespace: null,
    tableam: null,
    copy: null,
    address: { classid: 0, objid: 0, objsubid: 0 },
    dependencies: [],
    hash: create,
  };
}

/** All that two states are compared by. */
export function entriesOf({ catalog, beside }: State): { entries: readonly Entry[] } {
  return beside.length === 0 ? catalog : { entries: [...catalog.entries, ...beside] };
}

export function sameState(one: State, other: State): boolean {
  const words = (state: State) => state.beside.map(({ key, hash }) => `${key}\t${hash}`).join("\n");
  return one.catalog.digest === other.catalog.digest && words(one) === words(other);
}

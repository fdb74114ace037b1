import type { Manifest } from "../../archive/types.ts";
import type { Entry } from "../../catalog/types.ts";
import { BelayError } from "../../errors.ts";
import { listed } from "../../words.ts";
import { hangsOn } from "../guard/hangers.ts";
import type { Remembered } from "../transaction/remembered.ts";
import { tableKeyOf } from "./left-to-do.ts";

/** The part of a rollback that brings some tables back. */
export interface PartOfRollback {
  readonly remembered: Remembered;
  readonly manifest: Manifest | null;
  /** What belongs to the tables and cannot come back with them, and why. */
  readonly leftOut: readonly string[];
}

/** Relations that hold rows or read them: of these only what was asked for comes back. */
const relations = new Set(["TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE"]);

/**
 * Cuts a rollback down to tables, by their names of before: definition, rows, and all that hangs on them and needs
 * nothing that is not there. Throws `usage` for a table that the rollback did not take or change.
 */
export function onlyTables(
  remembered: Remembered,
  manifest: Manifest | null,
  entries: readonly Entry[],
  only: readonly string[],
): PartOfRollback {
  if (only.length === 0) return { remembered, manifest, leftOut: [] };
  const before = [...remembered.removed, ...remembered.changed.map((change) => change.before)];
  const wanted = withPartitions(resolveTables(remembered, manifest, before, only), before);
  const now = new Set(entries.map(({ key }) => key));
  const { keys, leftOut, refused } = closure(remembered, before, wanted, now);
  for (const key of wanted) if (refused.has(key)) throw notAlone(key, refused.get(key)!);
  const afterwards = new Set([...wanted].map((key) => keyAfter(remembered, key)));
  const own = (entry: Entry) => afterwards.has(entry.key) || belongsTo(entry, afterwards);
  const isOf = (schema: string, table: string) => wanted.has(tableKeyOf({ schema, table }));
  const nowOf = (schema: string, table: string) => afterwards.has(tableKeyOf({ schema, table }));
  const changed = remembered.changed.filter((change) => keys.has(change.before.key));
  const oids = new Set(changed.map((change) => change.after.address.objid));
  return {
    remembered: {
      ...remembered,
      removed: remembered.removed.filter(({ key }) => keys.has(key)),
      changed,
      added: remembered.added.filter(own),
      renamedColumns: remembered.renamedColumns.filter(({ schema, table }) => nowOf(schema, table)),
      renamedTables: remembered.renamedTables.filter(({ schema, table }) => nowOf(schema, table)),
      filledViews: [],
      madeColumns: remembered.madeColumns?.filter(({ oid }) => oids.has(oid)),
      rewritten: remembered.rewritten.filter(({ schema, table }) => nowOf(schema, table)),
      made: [],
    },
    manifest: manifest === null ? null : part(manifest, isOf, ownSequences(keys, wanted, [...before, ...entries])),
    leftOut,
  };
}

function part(
  manifest: Manifest,
  isOf: (schema: string, table: string) => boolean,
  sequences: ReadonlySet<string>,
): Manifest {
  return {
    ...manifest,
    tables: manifest.tables.filter(({ schema, table, mergesInto }) =>
      mergesInto === null ? isOf(schema, table) : isOf(mergesInto.schema, mergesInto.table),
    ),
    sequences: manifest.sequences.filter(({ schema, name }) => sequences.has(JSON.stringify([schema, name]))),
  };
}

/** Keys of the tables of before that were named; `public.t`, or `t` where only one schema has it. */
function resolveTables(
  remembered: Remembered,
  manifest: Manifest | null,
  before: readonly Entry[],
  only: readonly string[],
): Set<string> {
  const rows = (manifest?.tables ?? []).map(({ schema, table, mergesInto }) => mergesInto ?? { schema, table });
  const written = remembered.rewritten.map(({ schema, table }) => ({ schema, table }));
  const defined = before
    .filter(({ kind, schema }) => kind === "TABLE" && schema !== null)
    .map(({ schema, name }) => ({ schema: schema!, table: name }));
  const known = new Map([...defined, ...rows, ...written].map((each) => [`${each.schema}.${each.table}`, each]));
  const keys = new Set<string>();
  for (const name of only) {
    const found = known.has(name) ? [known.get(name)!] : [...known.values()].filter(({ table }) => table === name);
    if (found.length !== 1) throw unknownTable(name, found, [...known.keys()]);
    keys.add(tableKeyOf(found[0]!));
  }
  return keys;
}

function unknownTable(name: string, found: readonly { schema: string }[], known: readonly string[]): BelayError {
  const why = found.length > 1 ? "is in more than one schema" : "was neither taken nor changed by this rollback";
  const hint =
    known.length === 0
      ? "The rollback took no table and no rows."
      : `Name it as schema.table: ${listed([...known].sort(), 8)}.`;
  return new BelayError("usage", `the table ${name} ${why}`, { hint, details: { table: name, known } });
}

function notAlone(key: string, lacks: string): BelayError {
  return new BelayError("usage", `${key} cannot come back without ${lacks}, which is not there`, {
    hint: "Name that with --only too, or undo the whole rollback.",
    details: { key, lacks },
  });
}

/** A partitioned table comes back with its partitions: its rows are theirs. */
function withPartitions(keys: Set<string>, before: readonly Entry[]): Set<string> {
  const attached = before.filter(({ kind }) => kind === "TABLE ATTACH");
  for (let size = -1; size !== keys.size; ) {
    size = keys.size;
    for (const { schema, name, dependencies } of attached)
      if (schema !== null && dependencies.some((key) => keys.has(key) && key !== tableKeyOf({ schema, table: name })))
        keys.add(tableKeyOf({ schema, table: name }));
  }
  return keys;
}

/** What comes back: the tables, what hangs on them, and what these need (types, functions, sequences), but no other relation. */
function closure(
  remembered: Remembered,
  before: readonly Entry[],
  wanted: ReadonlySet<string>,
  now: ReadonlySet<string>,
): { keys: Set<string>; leftOut: string[]; refused: ReadonlyMap<string, string> } {
  const comes = new Map(before.map((entry) => [entry.key, entry]));
  const removed = new Set(remembered.removed.map(({ key }) => key));
  const keys = new Set<string>();
  const refused = new Map<string, string>();
  const take = (key: string, trail: ReadonlySet<string>): string | null => {
    const entry = comes.get(key);
    if (keys.has(key) || trail.has(key) || entry === undefined)
      return entry === undefined && !now.has(key) ? key : null;
    if (refused.has(key)) return refused.get(key)!;
    if (!removed.has(key) && !wanted.has(key) && !belongsTo(entry, wanted)) return null;
    if (relations.has(entry.kind) && !wanted.has(key)) return now.has(key) ? null : key;
    for (const on of entry.dependencies) {
      const lacks = take(on, new Set([...trail, key]));
      if (lacks === null) continue;
      refused.set(key, lacks);
      return lacks;
    }
    keys.add(key);
    return null;
  };
  for (const key of wanted) take(key, new Set());
  const own = new Set([...wanted].filter((key) => keys.has(key) || now.has(key)));
  for (let size = -1; size !== own.size; ) {
    size = own.size;
    for (const entry of before) if (belongsTo(entry, own) && take(entry.key, new Set()) === null) own.add(entry.key);
  }
  const lost = [...refused].filter(([key]) => wanted.has(key) || belongsTo(comes.get(key)!, own));
  return { keys, refused, leftOut: lost.map(([key, lacks]) => `${key}: ${lacks} is not there`) };
}

function keyAfter({ renamedTables }: Remembered, key: string): string {
  const renamed = renamedTables.find(({ fromSchema, from }) => tableKeyOf({ schema: fromSchema, table: from }) === key);
  return renamed === undefined ? key : tableKeyOf(renamed);
}

/** A part of one of the named, or the sequence of its identity column, which needs the table and not the other way round. */
function belongsTo(entry: Entry, keys: ReadonlySet<string>): boolean {
  return hangsOn(entry, keys) || (entry.kind === "SEQUENCE" && entry.dependencies.some((key) => keys.has(key)));
}

/** Sequences that come back, and those that belong to a column of the tables. */
function ownSequences(keys: ReadonlySet<string>, wanted: ReadonlySet<string>, entries: readonly Entry[]): Set<string> {
  const owning = entries.filter(
    ({ kind, dependencies }) => kind === "SEQUENCE OWNED BY" && dependencies.some((key) => wanted.has(key)),
  );
  const owned = new Set(owning.map(({ schema, name }) => JSON.stringify([schema, name])));
  for (const { kind, key, schema, name, dependencies } of entries)
    if (kind === "SEQUENCE" && (keys.has(key) || dependencies.some((on) => wanted.has(on))))
      owned.add(JSON.stringify([schema, name]));
  return owned;
}

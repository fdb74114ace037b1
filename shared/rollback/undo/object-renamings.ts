import { createHash } from "node:crypto";
import { quoteIdent } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";
import type { Remembered } from "../transaction/remembered.ts";
import { identity, ownership } from "./ownership.ts";

type Change = Remembered["changed"][number];

/** An object that lives on under another name or in another schema; tables are told apart, by their oids. */
interface Renamed {
  readonly was: Entry;
  readonly is: Entry;
}

/**
 * In this order, since a routine is named with the types of its arguments, and all but schemas with their schema.
 * What else can be renamed holds nothing and goes and comes.
 */
const groups: readonly (readonly string[])[] = [
  ["FUNCTION", "PROCEDURE", "AGGREGATE", "OPERATOR", "OPERATOR CLASS", "OPERATOR FAMILY", "CONVERSION"],
  ["TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE", "TEXT SEARCH DICTIONARY", "TEXT SEARCH CONFIGURATION", "COLLATION"],
  ["TYPE", "DOMAIN"],
  ["SERVER", "FOREIGN DATA WRAPPER", "PROCEDURAL LANGUAGE"],
];

export interface ObjectsBack {
  readonly statements: readonly string[];
  /** Schemas by their names of after the rollback. */
  readonly schemas: ReadonlyMap<string, string>;
}

/**
 * Statements that give objects other than tables their names and schemas back, so that what is worded with them is
 * worded as before. `now`: the catalog before the undo; what is not there as the rollback left it is let alone.
 */
export function objectsBack(remembered: Remembered, now: readonly Entry[]): ObjectsBack {
  const { removed } = remembered;
  const there = new Map(now.map((entry) => [entry.key, entry]));
  const { renamed, made } = findRenamed(remembered, there);
  const ofKind = (kinds: readonly string[]) => renamed.filter(({ was }) => kinds.includes(was.kind));
  const schemas = ofKind(["SCHEMA"]).filter(({ was }) => !made.some(({ key }) => key === was.key));
  const homes = new Map(schemas.map(({ was, is }) => [was.name, is.name]));
  const moving = groups.map(ofKind);
  const extensions = remembered.changed.flatMap(({ before }) => homeOfExtension(before) ?? []);
  const needed = new Set([
    ...moving.flat().flatMap(({ was: { schema } }) => (schema === null ? [] : [quoteIdent(schema)])),
    ...extensions,
  ]);
  const missing = removed.filter(
    ({ kind, name, key }) => kind === "SCHEMA" && needed.has(quoteIdent(name)) && !homes.has(name) && !there.has(key),
  );
  return {
    statements: [
      ...missing.flatMap((entry) => [entry.create, ...ownership(entry)]),
      ...groups.flatMap((kinds, at) => [
        ...made.filter(({ kind }) => kinds.includes(kind)).flatMap(aside),
        ...inSteps(moving[at]!.map((each) => steps(each, homes))),
      ]),
      ...remembered.changed.flatMap((change) => extensionBack(change, homes)),
      ...inSteps(schemas.map(schemaSteps)),
    ],
    schemas: new Map(schemas.map(({ was, is }) => [is.name, was.name])),
  };
}

/** Keys of now of the objects that undo renames or moves back. */
export function keysOfRenamed(remembered: Remembered, now: readonly Entry[]): Set<string> {
  const { renamed } = findRenamed(remembered, new Map(now.map((entry) => [entry.key, entry])));
  const kinds = new Set(["SCHEMA", ...groups.flat()]);
  return new Set(renamed.filter(({ is }) => kinds.has(is.kind)).map(({ is }) => is.key));
}

/** `made`: what the rollback made under a name that another object had, and gets back. */
function findRenamed({ removed, added, changed }: Remembered, there: ReadonlyMap<string, Entry>) {
  const others = changed.filter(({ before, after }) => addressOf(before) !== addressOf(after));
  const left = [...added, ...others.map(({ after }) => after)];
  const standing = left.filter((entry) => addressOf(there.get(entry.key) ?? entry) === addressOf(entry));
  const byAddress = new Map(standing.filter(({ key }) => there.has(key)).map((entry) => [addressOf(entry), entry]));
  const renamed = [...removed, ...others.map(({ before }) => before)].flatMap((was): Renamed[] => {
    const is = byAddress.get(addressOf(was));
    const holder = there.get(was.key);
    const isFree = holder === undefined || byAddress.has(addressOf(holder));
    return is?.kind === was.kind && is.key !== was.key && isFree ? [{ was, is }] : [];
  });
  const moving = new Set(renamed.map(({ is }) => addressOf(is)));
  const holders = renamed.flatMap(({ was }) => there.get(was.key) ?? []);
  return { renamed, made: holders.filter((holder) => !moving.has(addressOf(holder))) };
}

/** What is remembered of tables and columns, by their schemas' names of before. */
export function withSchemasBack(remembered: Remembered, schemas: ObjectsBack["schemas"]): Remembered {
  const home = <T extends { readonly schema: string }>(each: T): T => ({
    ...each,
    schema: schemas.get(each.schema) ?? each.schema,
  });
  return {
    ...remembered,
    renamedColumns: remembered.renamedColumns.map(home),
    renamedTables: remembered.renamedTables
      .map(home)
      .filter(({ schema, table, fromSchema, from }) => schema !== fromSchema || table !== from),
  };
}

type Steps = readonly [aside: readonly string[], moves: readonly string[], back: readonly string[]];

/** Names may be exchanged: first all go aside. */
function inSteps(all: readonly Steps[]): string[] {
  return [0, 1, 2].flatMap((step) => all.flatMap((each) => each[step]!));
}

const name = /(?:"(?:[^"]|"")*"|[a-z0-9_]+)/.source;
const identified = new RegExp(`^((?:[A-Z]+ )+)(${name}\\.)?(${name})(.*)$`, "s");

function aside(entry: Entry): string[] {
  const own = identity(entry).match(identified);
  if (own === null) return [];
  const [, kind, schema = "", current, rest] = own;
  return [`alter ${kind}${schema}${current}${rest} rename to ${asideName(`made ${entry.key}`)}`];
}

/** An operator has no name to change. */
const operator = new RegExp(`^OPERATOR (${name})\\.`);

/** What an extension holds is in its schema, and moves with it. */
const extension = new RegExp(`^\\s*CREATE EXTENSION .* WITH SCHEMA (${name});`);

/** Its schema, quoted; null for what is none. */
function homeOfExtension({ kind, create }: Entry): string | null {
  return (kind === "EXTENSION" && create.match(extension)?.[1]) || null;
}

function extensionBack({ before, after }: Change, homes: ReadonlyMap<string, string>): string[] {
  const was = homeOfExtension(before);
  if (was === null || was === homeOfExtension(after)) return [];
  const home = [...homes].find(([old]) => quoteIdent(old) === was);
  return [`alter extension ${quoteIdent(after.name)} set schema ${home === undefined ? was : quoteIdent(home[1])}`];
}

function steps({ was, is }: Renamed, homes: ReadonlyMap<string, string>): Steps {
  if (is.kind === "OPERATOR" && operator.test(identity(is))) {
    const home = homes.get(was.schema!) ?? was.schema!;
    return [[], home === is.schema ? [] : [`alter ${identity(is)} set schema ${quoteIdent(home)}`], []];
  }
  const [old, own] = [identity(was).match(identified), identity(is).match(identified)];
  if (old === null || own === null) return [[], [], []];
  const [, kind, schema = "", current, rest] = own;
  const home = was.schema === null ? null : (homes.get(was.schema) ?? was.schema);
  const moves = home !== is.schema;
  if (!moves && current === old[3]) return [[], [], []];
  const between = asideName(is.key);
  const place = moves ? `${quoteIdent(home!)}.` : schema;
  return [
    [`alter ${kind}${schema}${current}${rest} rename to ${between}`],
    moves ? [`alter ${kind}${schema}${between}${rest} set schema ${quoteIdent(home!)}`] : [],
    [`alter ${kind}${place}${between}${rest} rename to ${old[3]}`],
  ];
}

function schemaSteps({ was, is }: Renamed): Steps {
  const between = asideName(is.key);
  const rename = (from: string, to: string) => `alter schema ${from} rename to ${to}`;
  return [[rename(quoteIdent(is.name), between)], [], [rename(between, quoteIdent(was.name))]];
}

function addressOf({ kind, address: { classid, objid } }: Entry): string {
  return `${kind} ${classid}/${objid}`;
}

function asideName(key: string): string {
  return `belay_${createHash("md5").update(key).digest("hex")}`;
}

import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";
import type { Session } from "../../postgres/session.ts";
import { listed } from "../../words.ts";
import type { Account } from "../guard/account.ts";
import type { Remembered } from "../transaction/remembered.ts";
import type { Kept } from "./kept.ts";

/** Statements that move what was kept back to its schemas under its old names; schemas that went come back first. */
export async function bringBack(session: Session, kept: Kept, remembered: Remembered): Promise<string[]> {
  if (kept.mode !== "quarantine" || !kept.standing) return [];
  const homes = new Set(kept.kept.map(({ schema }) => schema));
  const there = await session.sql`select nspname as name from pg_namespace where nspname = any(${[...homes]}::text[])`;
  const standing = new Set(there.map(({ name }) => name as string));
  const made = remembered.removed.filter(
    ({ kind, name }) => kind === "SCHEMA" && homes.has(name) && !standing.has(name),
  );
  return [
    ...made.flatMap(schemaBack),
    ...kept.kept.flatMap(({ kind, schema, name, keptIn, as, oid }) => {
      if (kind === "columns") return [];
      const word = kind !== "type" ? kind : isDomain(remembered, oid) ? "domain" : "type";
      const renamed = as === name ? [] : [`alter ${word} ${qualified(schema, as)} rename to ${quoteIdent(name)}`];
      // With its table, which comes before it.
      if (kind === "sequence") return renamed;
      return [`alter ${word} ${qualified(keptIn, as)} set schema ${quoteIdent(schema)}`, ...renamed];
    }),
    ...(await statisticsBack(session, kept, remembered)),
  ];
}

function schemaBack({ create, name, owner }: Entry): string[] {
  return [create, ...(owner ? [`alter schema ${quoteIdent(name)} owner to ${quoteIdent(owner)}`] : [])];
}

function isDomain({ removed }: Remembered, oid: number): boolean {
  return removed.some(({ kind, address }) => kind === "DOMAIN" && address.objid === oid);
}

async function statisticsBack(session: Session, kept: Kept, { removed }: Remembered): Promise<string[]> {
  const rows = await session.sql`
    select s.oid::int8::float8 as oid, n.nspname as schema, s.stxname as name
      from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
     where n.nspname = any(${[...kept.schemas]}::text[])`;
  return rows.flatMap(({ oid, schema, name }) => {
    const was = removed.find(({ kind, address }) => kind === "STATISTICS" && address.objid === oid);
    return was?.schema ? [`alter statistics ${qualified(schema, name)} set schema ${quoteIdent(was.schema)}`] : [];
  });
}

/**
 * Removes the private schemas, with copies that are no longer needed. What somebody else put there stays, and is named
 * in the notes that it answers.
 */
export async function removeKept(session: Session, kept: Kept): Promise<string[]> {
  if (!kept.standing) return [];
  if (kept.mode === "copy")
    for (const { keptIn, as } of kept.kept) await session.run(`drop table if exists ${qualified(keptIn, as)}`);
  const notes: string[] = [];
  for (const schema of kept.schemas) {
    const [row] = await session.sql`
      select string_agg(pg_describe_object(classid, objid, 0), ', ') as left from pg_depend
       where refclassid = 'pg_namespace'::regclass and refobjid = to_regnamespace(${quoteIdent(schema)})`;
    if (row!.left === null) await session.run(`drop schema if exists ${quoteIdent(schema)}`);
    else notes.push(`schema ${schema} stays: it holds ${row!.left}`);
  }
  return notes;
}

/** What was moved back, in words for the report of an undo. */
export function movedNote({ mode, standing, kept }: Kept): string[] {
  if (mode !== "quarantine" || !standing) return [];
  const moved = kept.filter(({ kind }) => kind !== "sequence");
  if (moved.length === 0) return [];
  const from = [...new Set(moved.map(({ keptIn }) => keptIn))];
  const names = moved.map(({ schema, name }) => `${schema}.${name}`);
  return [`${listed(names, 5)} moved back from ${from.join(", ")}, with all rows`];
}

/** Oids of the copies that undo removes. */
export function copiedTables(kept: Kept | null, { relations }: Account): number[] {
  if (kept?.mode !== "copy" || !kept.standing) return [];
  const places = new Set(kept.kept.map(({ keptIn, as }) => JSON.stringify([keptIn, as])));
  return [...relations.values()]
    .filter(({ schema, name }) => places.has(JSON.stringify([schema, name])))
    .map(({ oid }) => oid);
}

import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { Identified, Identities } from "./identities.ts";

/** SQL that gives what was renamed or moved its name and schema back; rows never leave. */
export function renamesBack(before: Identities, after: Identities): string[] {
  const now = new Map(after);
  return [...schemaNames(before, now), ...places(before, now), ...names(before, now), ...partNames(before, now)];
}

/** What outlived the migration, as it was and as it is at this point of the way back. */
interface Pair {
  readonly identity: string;
  readonly was: Identified;
  readonly is: Identified;
}

function pairs(before: Identities, now: Identities): Pair[] {
  return [...before].flatMap(([identity, was]) => {
    const is = now.get(identity);
    return is === undefined || was.kind !== is.kind ? [] : [{ identity, was, is }];
  });
}

function schemaNames(before: Identities, now: Map<string, Identified>): string[] {
  const renamed = pairs(before, now).filter(({ was, is }) => was.kind === "schema" && was.name !== is.name);
  const back = new Map(renamed.map(({ was, is }) => [is.name, was.name]));
  for (const [identity, one] of now) now.set(identity, { ...one, schema: back.get(one.schema) ?? one.schema });
  return renamed.map(({ was, is }) => `ALTER SCHEMA ${quoteIdent(is.name)} RENAME TO ${quoteIdent(was.name)}`);
}

function places(before: Identities, now: Map<string, Identified>): string[] {
  const moved = pairs(before, now).filter(({ was, is }) => was.schema !== is.schema && was.kind !== "schema");
  for (const { identity, was, is } of moved) now.set(identity, { ...is, schema: was.schema });
  const identities = new Set(moved.map(({ identity }) => identity));
  // Indexes, columns and sequences that a column owns move with their table.
  return moved
    .filter(({ is }) => is.relation === null && is.kind !== "index" && !identities.has(is.shape))
    .map(({ was, is }) => `ALTER ${word(is)} ${qualified(is.schema, is.name)} SET SCHEMA ${quoteIdent(was.schema)}`);
}

function names(before: Identities, now: Map<string, Identified>): string[] {
  const renamed = pairs(before, now).filter(
    ({ was, is }) => was.relation === null && was.kind !== "schema" && was.name !== is.name,
  );
  const statements = takeNames(before, now, renamed, (one, from, to) => {
    return `ALTER ${word(one)} ${qualified(one.schema, from)} RENAME TO ${quoteIdent(to)}`;
  });
  const back = new Map(renamed.map(({ was, is }) => [qualified(is.schema, is.name), was.name]));
  for (const [identity, one] of now) {
    const relation = one.relation === null ? undefined : back.get(qualified(one.schema, one.relation));
    if (relation !== undefined) now.set(identity, { ...one, relation });
  }
  return statements;
}

function partNames(before: Identities, now: Map<string, Identified>): string[] {
  const renamed = pairs(before, now).filter(({ was, is }) => was.relation !== null && was.name !== is.name);
  return takeNames(before, now, renamed, (one, from, to) => {
    return `ALTER TABLE ${qualified(one.schema, one.relation!)} RENAME ${word(one)} ${quoteIdent(from)} TO ${quoteIdent(to)}`;
  });
}

/** A name that something else still bears is taken in two steps; what the migration made gives way for good. */
function takeNames(
  before: Identities,
  now: Identities,
  renamed: readonly Pair[],
  rename: (one: Identified, from: string, to: string) => string,
): string[] {
  const bearers = new Map([...now].map(([identity, one]) => [place(one, one.name), { identity, one }]));
  const first: string[] = [];
  const second: string[] = [];
  for (const { was, is } of renamed) {
    const bearer = bearers.get(place(is, was.name));
    if (bearer !== undefined && before.has(bearer.identity)) {
      first.push(rename(is, is.name, aside(was.name)));
      second.push(rename(is, aside(was.name), was.name));
      continue;
    }
    if (bearer !== undefined) first.unshift(rename(bearer.one, was.name, aside(was.name)));
    first.push(rename(is, is.name, was.name));
  }
  return [...first, ...second];
}

// Columns, constraints, types and relations have names of their own.
function place({ kind, schema, relation }: Identified, name: string): string {
  const space = relation === null && kind !== "type" ? "relation" : kind;
  return JSON.stringify([space, schema, relation, name]);
}

function word({ kind }: Identified): string {
  return kind.toUpperCase();
}

function aside(name: string): string {
  return `${name.slice(0, 50)}_belay`;
}

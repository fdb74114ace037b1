import type { Catalog } from "../../catalog/types.ts";
import type { Session } from "../../postgres/session.ts";
import { shorten } from "../../words.ts";
import type { DependencyGraph } from "../effect/dependency-graph.ts";
import type { ResolvedEffect } from "../effect/effect.ts";
import { type PreparedUnit, placedStatements } from "../plan/set-sql.ts";
import type { Preservation } from "../types.ts";
import { chooseMoving } from "./choose.ts";
import { type Dropping, findDropSites, relationKey } from "./drop-sites.ts";
import { readPreserveFacts } from "./facts.ts";
import { ownerOf, tablesOf, typesOf } from "./parts.ts";
import { type Replacement, rewriteDrops } from "./rewrite.ts";

/** A set's SQL with the plain DROPs rewritten, and its effect without what is moved. */
export interface Quarantined {
  readonly units: readonly PreparedUnit[];
  readonly effect: ResolvedEffect;
  readonly preserve: Omit<Preservation, "days">;
}

interface QuarantineInput {
  readonly units: readonly PreparedUnit[];
  readonly effect: ResolvedEffect;
  readonly graph: DependencyGraph;
  readonly catalog: Catalog;
}

/**
 * Rewrites DROP TABLE, DROP TYPE and DROP DOMAIN at top level into statements that move what they name to a private
 * schema. What cannot be moved is left as it is, with a note. A DROP that would fail still does.
 */
export async function quarantine(session: Session, input: QuarantineInput): Promise<Quarantined> {
  const { units, effect, graph, catalog } = input;
  const none = { units, effect, preserve: { mode: "quarantine" as const, schema: null, kept: [], notes: [] } };
  if (effect.failures.length > 0 || units.some(({ prepared }) => prepared.refusals.length > 0)) return none;
  const dropping = findDropSites(placedStatements(units), graph);
  const named = dropping.sites.flatMap((site) => [...tablesOf(site), ...typesOf(site)]);
  const notes = dropping.sites.length === 0 ? ["no table or type is dropped by a statement of its own"] : [];
  if (named.length === 0) return { ...none, preserve: { ...none.preserve, notes } };
  const facts = await readPreserveFacts(
    session,
    units[0]!.migration,
    named.map(({ objid }) => objid),
  );
  const choice = chooseMoving(dropping, graph, facts, catalog, effect.objects);
  const replacements = rewriteDrops({ dropping, choice, graph, catalog, facts });
  const kept = keptOf(replacements, dropping, graph, choice.tables);
  return {
    units: units.map((unit, at) => rewritten(unit, at, replacements)),
    effect: withoutMoved(effect, kept),
    preserve: { mode: "quarantine", schema: kept.length === 0 ? null : facts.base, kept, notes: [...choice.notes] },
  };
}

function keptOf(
  replacements: readonly Replacement[],
  { sites }: Dropping,
  graph: DependencyGraph,
  tables: ReadonlySet<number>,
): Preservation["kept"] {
  const moved = replacements.flatMap((each) => each.moved);
  const original = (kind: string, oid: number) =>
    graph.objects.find((each) => each.objid === oid && each.family === (kind === "table" ? "relation" : "type"))!;
  const kept = moved.map(({ kind, oid, name, keptIn }) => {
    const { schema, name: was } = original(kind, oid);
    return { kind, schema: schema!, name: was, keptIn, as: name, oid };
  });
  const sequences = graph.objects.flatMap((each) => {
    if (each.family !== "relation" || each.sub !== "S") return [];
    const owner = ownerOf(relationKey(each.objid), graph, tables);
    const table = kept.find(({ kind, oid }) => kind === "table" && oid === owner);
    if (table === undefined) return [];
    const { keptIn } = table;
    const key = relationKey(each.objid);
    const as = sites.find((site) => site.closure.has(key))?.names.get(key)?.name ?? each.name;
    return [{ kind: "sequence" as const, schema: each.schema!, name: each.name, keptIn, as, oid: each.objid }];
  });
  return [...kept, ...sequences];
}

/** What is moved is not lost: neither rows nor values are at stake. */
function withoutMoved(effect: ResolvedEffect, kept: Preservation["kept"]): ResolvedEffect {
  const moved = new Map(kept.flatMap(({ oid, kind, keptIn }) => (kind === "type" ? [] : [[oid, keptIn] as const])));
  return {
    ...effect,
    lostTables: effect.lostTables.filter((oid) => !moved.has(oid)),
    lostSequences: effect.lostSequences.filter((oid) => !moved.has(oid)),
    locks: effect.locks.map((lock) => {
      const keptIn = moved.get(lock.oid);
      return keptIn === undefined ? lock : { ...lock, because: `moved to ${keptIn}` };
    }),
  };
}

function rewritten(unit: PreparedUnit, at: number, replacements: readonly Replacement[]): PreparedUnit {
  const own = replacements.filter(({ site }) => (site.statement.unit ?? 0) === at);
  if (own.length === 0) return unit;
  let { sql } = unit.prepared;
  for (const { site, statements } of [...own].reverse()) {
    const { offset, text } = site.statement;
    sql = sql.slice(0, offset) + statements.join(";\n") + sql.slice(offset + text.length);
  }
  const told = own.map(({ site: { statement }, moved }) => {
    const names = moved.map(({ schema, name, keptIn }) => `${schema}.${name} to ${keptIn}`).join(", ");
    return `${shorten(statement.text, 60)} (line ${statement.line}) moves ${names}`;
  });
  const rewrites = [...unit.prepared.rewrites, ...told];
  return { ...unit, prepared: { ...unit.prepared, sql, rewrites } };
}

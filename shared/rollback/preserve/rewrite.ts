import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { Catalog } from "../../catalog/types.ts";
import { addressKey, classOid, type DependencyGraph } from "../effect/dependency-graph.ts";
import { dropClosure, indexDependencies, wholeOf } from "../effect/drop-closure.ts";
import type { Choice } from "./choose.ts";
import { type Dropping, type DropSite, type Named, relationKey } from "./drop-sites.ts";
import { dropWords } from "./drop-words.ts";
import { nthSchema, type PreserveFacts } from "./facts.ts";
import { goesForGood, isKeyOfPartition, isReturnRule, movesAlong, needsOf, tablesOf, typesOf } from "./parts.ts";

/** What stands in a statement's place. */
export interface Replacement {
  readonly site: DropSite;
  readonly statements: readonly string[];
  readonly moved: readonly MovedObject[];
}

/** A table or type that is moved, under the name that it has then. */
export interface MovedObject {
  readonly kind: "table" | "type";
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly keptIn: string;
}

interface Surroundings {
  readonly dropping: Dropping;
  readonly choice: Choice;
  readonly graph: DependencyGraph;
  readonly catalog: Catalog;
  readonly facts: PreserveFacts;
}

/** The statements that move what the plain DROPs name, in the place of each. */
export function rewriteDrops(around: Surroundings): Replacement[] {
  const schemas = new Map<string, string>();
  const sequences = indexDependencies(around.graph.dependencies);
  return around.dropping.sites.flatMap((site) => {
    const tables = tablesOf(site).filter(({ objid }) => around.choice.tables.has(objid));
    const types = typesOf(site).filter(({ objid }) => around.choice.types.has(objid));
    if (tables.length + types.length === 0) return [];
    const statements: string[] = [];
    const home = (schema: string) => {
      const known = schemas.get(schema);
      if (known !== undefined) return known;
      const made = nthSchema(around.facts.base, schemas.size);
      schemas.set(schema, made);
      statements.push(`CREATE SCHEMA ${quoteIdent(made)}`, revoke(made, around.facts.grantees));
      return made;
    };
    const moved = [...tables, ...types].map((object) => ({
      kind: object.family === "type" ? ("type" as const) : ("table" as const),
      oid: object.objid,
      schema: object.schema!,
      name: object.name,
      keptIn: home(object.schema!),
    }));
    const detached = detach(site, tables, around);
    const outside = [...detached.first, ...outsideOf(site, around, sequences)];
    statements.push(...outside, ...parentsOff(site, tables, around), ...detached.inherited);
    statements.push(...publicationsOff(site, tables, around), ...statisticsTo(site, around, schemas));
    for (const { kind, schema, name, keptIn } of moved)
      statements.push(
        `ALTER ${kind === "table" ? "TABLE" : typeWord(types, schema, name)} ${qualified(schema, name)} SET SCHEMA ${quoteIdent(keptIn)}`,
      );
    statements.push(...restOf(site, around));
    return [{ site, statements, moved }];
  });
}

function revoke(schema: string, grantees: readonly string[]): string {
  return `REVOKE ALL ON SCHEMA ${quoteIdent(schema)} FROM ${["PUBLIC", ...grantees].join(", ")}`;
}

function typeWord(types: readonly Named[], schema: string, name: string): string {
  return types.find((each) => each.schema === schema && each.name === name)?.sub === "d" ? "DOMAIN" : "TYPE";
}

/** What CASCADE would take outside of what moves: each after all that depends on it. */
function outsideOf(
  site: DropSite,
  { choice, graph, catalog }: Surroundings,
  index: ReturnType<typeof indexDependencies>,
): string[] {
  const keys = [...site.closure]
    .filter(([key, reason]) => reason === "cascade" && !movesAlong(key, site, choice, graph))
    .map(([key]) => key)
    .filter((key) => !isReturnRule(site.names.get(wholeOf(key))) && !isKeyOfPartition(key, site, graph));
  const size = new Map(keys.map((key) => [key, dropClosure(index, [key], site.before).gone.size]));
  return keys.sort((a, b) => size.get(a)! - size.get(b)!).flatMap((key) => dropWords(key, site, catalog) ?? []);
}

/** Foreign keys that lead out, and parts that need what goes for good: off before the move. */
function detach(site: DropSite, tables: readonly Named[], { choice, graph, catalog, dropping }: Surroundings) {
  const first: string[] = [];
  const inherited: string[] = [];
  const oids = new Set(tables.map(({ objid }) => objid));
  for (const key of site.closure.keys()) {
    const part = site.names.get(wholeOf(key));
    if (part === undefined || part.relid === null || !oids.has(part.relid) || key !== wholeOf(key)) continue;
    const words = dropWords(key, site, catalog);
    if (words === null) continue;
    if (part.family === "constraint" && part.sub === "f") {
      if (choice.tables.has(part.other) || isKeyOfPartition(key, site, graph)) continue;
      (needsOf(graph, key).some(({ type }) => type === "P") ? inherited : first).push(words);
    } else if (["trigger", "policy", "rule", "default"].includes(part.family) && part.sub !== "i") {
      const needs = needsOf(graph, key).some(
        ({ to }) => !to.startsWith(`${classOid.schema}/`) && goesForGood(wholeOf(to), dropping, choice, graph),
      );
      if (needs) first.push(words);
    }
  }
  return { first, inherited };
}

/** A parent that stays must not show the rows of what is moved. */
function parentsOff(site: DropSite, tables: readonly Named[], { choice, facts }: Surroundings): string[] {
  return tables.flatMap(({ objid, schema, name }) =>
    facts.parents
      .filter(({ child, parent }) => child === objid && !choice.tables.has(parent))
      .flatMap(({ parent, partition, ...standing }) => {
        const above = site.names.get(relationKey(parent)) ?? standing;
        const [own, of] = [qualified(schema, name), qualified(above.schema, above.name)];
        return [partition ? `ALTER TABLE ${of} DETACH PARTITION ${own}` : `ALTER TABLE ${own} NO INHERIT ${of}`];
      }),
  );
}

function publicationsOff(site: DropSite, tables: readonly Named[], { facts, dropping }: Surroundings): string[] {
  const standing = (name: string) => {
    const found = dropping.simulation.graph.objects.find((each) => each.family === "publication" && each.name === name);
    return found === undefined || !site.before.has(addressKey(found.classid, found.objid));
  };
  return tables.flatMap(({ objid, schema, name }) =>
    facts.publications
      .filter(({ table, publication }) => table === objid && standing(publication))
      .map(({ publication }) => `ALTER PUBLICATION ${quoteIdent(publication)} DROP TABLE ${qualified(schema, name)}`),
  );
}

/** Extended statistics do not follow their table by themselves. */
function statisticsTo(site: DropSite, { choice }: Surroundings, schemas: ReadonlyMap<string, string>): string[] {
  return [...site.closure.keys()].flatMap((key) => {
    const object = site.names.get(key);
    if (object?.family !== "statistics" || object.relid === null || !choice.tables.has(object.relid)) return [];
    const table = site.names.get(relationKey(object.relid));
    const home = schemas.get(table?.schema ?? "");
    return home === undefined
      ? []
      : [`ALTER STATISTICS ${qualified(object.schema, object.name)} SET SCHEMA ${quoteIdent(home)}`];
  });
}

/** What the DROP names and is not moved goes as it would have gone. */
function restOf(site: DropSite, { choice }: Surroundings): string[] {
  const rest = site.targets.flatMap((key) => {
    const object = site.names.get(key);
    const stays = object !== undefined && (choice.tables.has(object.objid) || choice.types.has(object.objid));
    return object === undefined || stays ? [] : [qualified(object.schema, object.name)];
  });
  return rest.length === 0 ? [] : [`DROP ${site.type} ${rest.join(", ")}${site.cascade ? " CASCADE" : ""}`];
}

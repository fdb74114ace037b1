import { qualified } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";

/** Kinds whose values may be of a type. */
const holders = new Set(["TABLE", "FOREIGN TABLE", "MATERIALIZED VIEW", "TYPE", "DOMAIN"]);

/**
 * Changes the attributes of a composite type back, so that functions that take it stay; null when they would come in
 * another order, when values of it may be stored, which would lose what goes, or when it is no composite type.
 * `emptied`: keys of tables whose rows were taken out.
 */
export function attributesBack(
  current: Entry,
  target: Entry,
  now: readonly Entry[],
  emptied: ReadonlySet<string>,
): string[] | null {
  const [is, was] = [attributes(current), attributes(target)];
  if (is === null || was === null) return null;
  const renamed = renamedBack(target, [...is], [...was]);
  if (renamed !== null) return renamed;
  const holding = now.filter(({ kind, dependencies }) => holders.has(kind) && dependencies.includes(current.key));
  if (holding.some(({ key }) => !emptied.has(key))) return null;
  const kept = [...is.keys()].filter((name) => was.has(name));
  const coming = [...was.keys()].filter((name) => !is.has(name));
  if ([...kept, ...coming].join("\n") !== [...was.keys()].join("\n")) return null;
  const actions = [
    ...[...is.keys()].filter((name) => !was.has(name)).map((name) => `drop attribute ${name}`),
    ...kept
      .filter((name) => is.get(name) !== was.get(name))
      .map((name) => `alter attribute ${name} type ${was.get(name)}`),
    ...coming.map((name) => `add attribute ${name} ${was.get(name)}`),
  ];
  const type = qualified(target.schema, target.name);
  return actions.map((action) => `alter type ${type} ${action}`);
}

/** Name to type and collation, both as they stand in the CREATE text. */
function attributes(entry: Entry): Map<string, string> | null {
  const list = entry.create.match(/^\s*CREATE TYPE .* AS \(\n\t(.*)\n\);\n$/s)?.[1];
  if (list === undefined) return null;
  const parts = list.split(",\n\t").map((item) => /^("(?:[^"]|"")+"|\S+) (.*)$/s.exec(item));
  return parts.includes(null) ? null : new Map(parts.map((part) => [part![1]!, part![2]!]));
}

/** Attributes that changed their names alone keep their values, stored ones too; null when more changed. */
function renamedBack(
  target: Entry,
  is: readonly (readonly [string, string])[],
  was: readonly (readonly [string, string])[],
): string[] | null {
  if (is.length !== was.length || is.some(([, type], at) => type !== was[at]![1])) return null;
  const type = qualified(target.schema, target.name);
  const pairs = is.map(([name], at) => [name, was[at]![0]] as const).filter(([from, to]) => from !== to);
  const rename = (from: string, to: string) => `alter type ${type} rename attribute ${from} to ${to}`;
  // Two may have exchanged their names.
  const aside = pairs.map(([from, to], at) => [from, `belay_${at}`, to] as const);
  return [...aside.map(([from, by]) => rename(from, by)), ...aside.map(([, by, to]) => rename(by, to))];
}

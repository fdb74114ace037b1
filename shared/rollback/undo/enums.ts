import { qualified } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";

/** Renames the labels of an enum back, place by place; null when labels came, went or moved, or when it is no enum. */
export function labelsBack(current: Entry, target: Entry): string[] | null {
  const [is, was] = [labels(current), labels(target)];
  if (is === null || was === null || is.length !== was.length) return null;
  const pairs = is.map((label, index) => [label, was[index]!] as const).filter(([from, to]) => from !== to);
  if (pairs.some(([from, to]) => was.includes(from) || is.includes(to))) return null;
  const name = qualified(target.schema, target.name);
  return pairs.map(([from, to]) => `alter type ${name} rename value ${from} to ${to}`);
}

/** The labels as they stand in the CREATE text, quoted. */
export function labels(entry: Entry): string[] | null {
  const list = entry.create.match(/^\s*CREATE TYPE .* AS ENUM \((.*)\);/s);
  return list === null ? null : (list[1]!.match(/'(?:[^']|'')*'/g) ?? []);
}

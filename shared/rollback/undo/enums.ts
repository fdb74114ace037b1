import { qualified } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";

/** Renames the labels of an enum back, place by place; null when labels came or went, or when it is no enum. */
export function labelsBack(current: Entry, target: Entry): string[] | null {
  const [is, was] = [labels(current), labels(target)];
  if (is === null || was === null || is.length !== was.length) return null;
  const pairs = is.map((label, index) => [label, was[index]!] as const).filter(([from, to]) => from !== to);
  const name = qualified(target.schema, target.name);
  const rename = (from: string, to: string) => `alter type ${name} rename value ${from} to ${to}`;
  // Two may have exchanged their names.
  const aside = pairs.map(([from, to], at) => [from, `'belay ${at}'`, to] as const);
  return [...aside.map(([from, by]) => rename(from, by)), ...aside.map(([, by, to]) => rename(by, to))];
}

/** The labels as they stand in the CREATE text, quoted. */
export function labels(entry: Entry): string[] | null {
  const list = entry.create.match(/^\s*CREATE TYPE .* AS ENUM \((.*)\);/s);
  return list === null ? null : (list[1]!.match(/'(?:[^']|'')*'/g) ?? []);
}

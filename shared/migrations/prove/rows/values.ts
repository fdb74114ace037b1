import { quoteLiteral } from "../../../catalog/identifiers.ts";
import type { SeedType } from "./types.ts";

export type SeedTypes = ReadonlyMap<number, SeedType>;

/** A type without the domains around it, and the modifier that holds for it. */
export interface PlainType {
  readonly type: SeedType;
  readonly modifier: number;
  /** A domain around it forbids NULL. */
  readonly notNull: boolean;
}

/** Takes the domains off a type; null when the type is unknown. */
export function plainType(types: SeedTypes, oid: number, modifier: number): PlainType | null {
  let type = types.get(oid);
  let notNull = false;
  let held = modifier;
  for (let depth = 0; type?.sort === "d" && depth < 16; depth++) {
    notNull ||= type.notNull;
    if (held < 0) held = type.modifier;
    type = types.get(type.inner);
  }
  return type === undefined ? null : { type, modifier: held, notNull };
}

/** A number from 0 up to `below`, always the same for the same words (FNV-1a). */
export function pick(below: number, ...words: readonly (string | number)[]): number {
  let hash = 2166136261;
  for (const letter of words.join("\u0000")) hash = Math.imul(hash ^ letter.charCodeAt(0), 16777619) >>> 0;
  return hash % below;
}

/** What a text may look like: triggers and functions that read it want a number, a version, a document, an address. */
export const textShapes: readonly ((n: number) => string)[] = [
  (n) => String(n),
  (n) => `1.0.${n}`,
  (n) => `{"k": ${n}}`,
  (n) => `https://example.com/${n}`,
];

/** SQL literal of a value, or null where the type is not known; `n` tells values apart and grows with row and column. */
export function literalOf(types: SeedTypes, oid: number, modifier: number, n: number, shape = 0): string | null {
  const plain = plainType(types, oid, modifier);
  if (shape > 0 && plain?.type.category === "S" && plain.type.sort === "b") {
    const text = textShapes[shape]!(n);
    if (toLength(text, plain.modifier) === text) return quoteLiteral(text);
  }
  const text = textOf(types, oid, modifier, n);
  return text === null ? null : quoteLiteral(text);
}

/** A value in its type's own input form. */
export function textOf(types: SeedTypes, oid: number, modifier: number, n: number, depth = 0): string | null {
  const plain = plainType(types, oid, modifier);
  if (plain === null || depth > 4) return null;
  const { type } = plain;
  const inner = (number: number) => textOf(types, type.inner, -1, number, depth + 1);
  if (type.sort === "e") return type.labels.length === 0 ? null : type.labels[n % type.labels.length]!;
  if (type.sort === "c") return compositeText(types, type, n, depth);
  if (type.sort === "r") return rangeText(inner(n), inner(n + 1));
  if (type.sort === "m") return "{}";
  if (type.category === "A" && type.inner !== 0) {
    const element = textOf(types, type.inner, plain.modifier, n, depth + 1);
    return element === null ? "{}" : `{${quoteElement(element)}}`;
  }
  const known = byName[type.name];
  if (known !== undefined) return known(n, plain.modifier);
  return type.category === "S" ? textual(n, plain.modifier) : null;
}

/** Cuts a text to a length modifier, keeping its end, where it differs. */
export function toLength(text: string, modifier: number): string {
  const length = modifier < 4 ? Number.POSITIVE_INFINITY : modifier - 4;
  if (text.length <= length) return text;
  return length === 1 ? String.fromCharCode(97 + (Number(text.slice(-2)) % 26 || 0)) : text.slice(-length);
}

function compositeText(types: SeedTypes, type: SeedType, n: number, depth: number): string | null {
  const parts = type.attributes.map(({ type: oid, modifier }) => textOf(types, oid, modifier, n, depth + 1));
  return `(${parts.map((part) => (part === null ? "" : quoteElement(part))).join(",")})`;
}

function rangeText(from: string | null, to: string | null): string {
  return from === null || to === null ? "empty" : `[${quoteElement(from)},${quoteElement(to)})`;
}

function quoteElement(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function day(n: number): string {
  return new Date(Date.UTC(2024, 0, 1) + n * 86_400_000).toISOString().slice(0, 10);
}

function two(n: number): string {
  return String(n).padStart(2, "0");
}

function decimal(n: number, modifier: number): string {
  if (modifier < 4) return String(n);
  const precision = (modifier - 4) >> 16;
  const scale = (modifier - 4) & 0x7ff;
  return precision - scale >= 15 ? String(n) : String(n % 10 ** Math.max(0, precision - scale));
}

function bits(n: number, length: number): string {
  return (n % 2 ** Math.min(length, 30)).toString(2).padStart(length, "0");
}

type Writer = (n: number, modifier: number) => string;

const moment: Writer = (n) => `${day(n % 3000)} 10:${two(n % 60)}:00`;
const whole: Writer = (n) => String(n);
const timeOfDay: Writer = (n) => `${two(Math.floor(n / 60) % 24)}:${two(n % 60)}:00`;
const json: Writer = (n) => `{"k": ${n}}`;
/** Three digits where they tell enough values apart: a shorter type, a number or JSON can take them. */
const textual: Writer = (n, modifier) => toLength(String(n < 10_000 ? 100 + (n % 900) : n), modifier);

/** How a value of each of the server's own and the common extensions' types is written. */
const byName: Readonly<Record<string, Writer>> = {
  boolean: (n) => (n % 2 === 0 ? "t" : "f"),
  smallint: (n) => String((n % 30_000) + 1),
  integer: whole,
  bigint: whole,
  oid: whole,
  xid: whole,
  real: whole,
  "double precision": whole,
  numeric: decimal,
  money: whole,
  text: textual,
  "character varying": textual,
  character: textual,
  citext: textual,
  name: textual,
  '"char"': (n) => String.fromCharCode(97 + (n % 26)),
  uuid: (n) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`,
  date: (n) => day(n % 3000),
  "timestamp without time zone": moment,
  "timestamp with time zone": (n, modifier) => `${moment(n, modifier)}+00`,
  "time without time zone": timeOfDay,
  "time with time zone": (n, modifier) => `${timeOfDay(n, modifier)}+00`,
  interval: (n) => `${n} hours`,
  bytea: (n) => `\\x${n.toString(16).padStart(8, "0")}`,
  json,
  jsonb: json,
  jsonpath: (n) => `$.k${n}`,
  xml: (n) => `<k>${n}</k>`,
  inet: (n) => `10.${(n >> 16) % 256}.${(n >> 8) % 256}.${n % 256}`,
  cidr: (n) => `10.${(n >> 8) % 256}.${n % 256}.0/24`,
  macaddr: (n) => `08:00:2b:00:${two((n >> 7) % 100)}:${two(n % 100)}`,
  macaddr8: (n) => `08:00:2b:00:00:00:${two((n >> 7) % 100)}:${two(n % 100)}`,
  bit: (n, modifier) => bits(n, Math.max(1, modifier)),
  "bit varying": (n, modifier) => bits(n, modifier < 1 ? 12 : modifier),
  tsvector: (n) => `w${n}`,
  tsquery: (n) => `w${n}`,
  point: (n) => `(${n},1)`,
  line: (n) => `{1,1,${n}}`,
  lseg: (n) => `[(0,0),(${n},1)]`,
  box: (n) => `(${n + 1},1),(${n},0)`,
  path: (n) => `[(0,0),(${n},1)]`,
  polygon: (n) => `((0,0),(${n},1),(1,0))`,
  circle: (n) => `<(${n},1),1>`,
  pg_lsn: (n) => `0/${n.toString(16).toUpperCase()}`,
  regclass: () => "pg_class",
  regtype: () => "integer",
  regrole: () => "pg_monitor",
  regnamespace: () => "pg_catalog",
  int2vector: whole,
  oidvector: whole,
  hstore: (n) => `"k"=>"${n}"`,
  ltree: (n) => `a.b${n}`,
  lquery: (n) => `a.b${n}`,
  cube: (n) => `(${n})`,
  vector: (n, modifier) => `[${Array.from({ length: Math.max(1, modifier) }, (_, i) => n + i).join(",")}]`,
  geometry: (n) => `SRID=4326;POINT(${n % 90} 1)`,
  geography: (n) => `SRID=4326;POINT(${n % 90} 1)`,
};

import { quoteLiteral } from "../../../catalog/identifiers.ts";
import { type CheckWords, wordsOf } from "./checks.ts";
import { isNotNull } from "./rows.ts";
import type { SeedCheck, SeedColumn, SeedRow, SeedSchema, SeedTable } from "./types.ts";
import { plainType, textOf, toLength } from "./values.ts";

/** Texts of the shapes that conditions with a pattern ask for. */
const shapes = [
  "abc",
  "ABC",
  "a",
  "A1",
  "a-b",
  "a_b",
  "1",
  "12345678",
  "1.0.0",
  "a@example.com",
  "https://example.com/a",
  "/a",
  "2024-01-01",
  "{}",
  "",
];

/** SQL literals to try for a column, the natural value first and NULL last; a column of a foreign key has only those. */
export function candidatesFor(
  schema: SeedSchema,
  table: SeedTable,
  column: SeedColumn,
  checks: readonly SeedCheck[],
  row: SeedRow,
): string[] {
  const plain = plainType(schema.types, column.type, column.modifier);
  const natural = row.get(column.name);
  const words = wordsOf(checks.map(({ expression }) => expression));
  const found = new Set<string>(natural === undefined ? [] : [natural]);
  const nothing = isNotNull(schema, column) ? [] : ["null"];
  if (table.keys.some(({ columns }) => columns.includes(column.name))) return [...found, ...nothing];
  const text = natural === undefined || natural === "null" ? "" : natural.slice(1, -1).replaceAll("''", "'");
  if (plain !== null)
    for (const other of othersFor(schema, plain.type.oid, plain.modifier, words, text)) found.add(other);
  return [...[...found].filter((each) => each !== "null").slice(0, 60), ...nothing];
}

function othersFor(schema: SeedSchema, oid: number, modifier: number, words: CheckWords, natural: string): string[] {
  const type = schema.types.get(oid)!;
  const literals = (texts: readonly string[]) => texts.map(quoteLiteral);
  if (type.sort === "e") return literals(type.labels.slice(0, 40));
  if (type.category === "B") return ["'t'", "'f'"];
  if (type.category === "N") return numbers(words.numbers, type.name).map((n) => quoteLiteral(String(n)));
  if (type.category === "S") {
    const texts = [
      ...words.strings.filter((each) => each.length < 200),
      ...ofLengths(words.numbers, natural),
      ...shapes,
    ];
    return literals(texts.map((each) => toLength(each, modifier)));
  }
  if (type.name.startsWith("timestamp ")) return moments(words.strings, type.name, "hour");
  if (type.name === "date") return moments(words.strings, type.name, "day");
  if (type.name === "bytea")
    return words.numbers.filter(isLength).map((length) =>
      quoteLiteral(
        `\\x${natural
          .slice(2)
          .padEnd(length * 2, "0")
          .slice(0, length * 2)}`,
      ),
    );
  if (type.name === "jsonb" || type.name === "json") return literals(["{}", "[]", "1", '"a"', "null"]);
  if (type.category === "A") return arrays(schema, type.inner, words);
  if (type.name === "uuid") return literals(words.strings.filter((each) => /^[0-9a-f-]{36}$/i.test(each)));
  if (type.sort === "r") return ["'empty'", "'(,)'"];
  return [];
}

/** Around every number that a condition names; hash partitions want many. */
function numbers(named: readonly number[], type: string): number[] {
  const around = named.flatMap((n) => [n, n + 1, n - 1, n + 2]);
  const all = [...new Set([...around, 1, 0, 2, -1, 0.5, ...Array.from({ length: 16 }, (_, n) => n + 3)])];
  const most = largest[type];
  return most === undefined ? all : all.filter((n) => Number.isInteger(n) && Math.abs(n) <= most);
}

const largest: Readonly<Record<string, number>> = {
  smallint: 32_767,
  integer: 2_147_483_647,
  bigint: Number.MAX_SAFE_INTEGER,
  oid: 2_147_483_647,
};

function isLength(n: number): boolean {
  return Number.isInteger(n) && n > 0 && n <= 2000;
}

function ofLengths(named: readonly number[], natural: string): string[] {
  const lengths = named.filter(isLength).flatMap((n) => [n, n + 1, n - 1]);
  return lengths.map((length) => natural.padEnd(length, "a").slice(-Math.max(length, 0) || natural.length));
}

/** The moments that a condition names, and a little after each. */
function moments(named: readonly string[], type: string, step: string): string[] {
  const own = named.filter((each) => /^-?\d{4,}-\d\d-\d\d/.test(each)).map(quoteLiteral);
  return own.flatMap((each) => [
    `(${each}::${type} + interval '1 ${step}')::${type}`,
    `${each}::${type}`,
    `(${each}::${type} - interval '1 ${step}')::${type}`,
  ]);
}

function arrays(schema: SeedSchema, element: number, words: CheckWords): string[] {
  const one = (n: number) => textOf(schema.types, element, -1, n) ?? "1";
  const lengths = [1, 2, ...words.numbers.filter((n) => isLength(n) && n < 50)];
  const built = lengths.map((length) => Array.from({ length }, (_, n) => JSON.stringify(one(n + 1))).join(","));
  return [...built, ...words.strings.map((each) => JSON.stringify(each)), ""].map((each) => quoteLiteral(`{${each}}`));
}

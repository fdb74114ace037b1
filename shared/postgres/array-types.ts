import type postgres from "postgres";

type Parse = (text: string) => unknown;
type Serialize = (value: unknown) => unknown;

/** All arrays but those of boxes (manual, "Array Input and Output Syntax"). */
const usualDelimiter = ",";
const boxArray = 1020;

/**
 * Tells the driver of the server's array types, so that their values come as lists and lists can be parameters. The driver's own
 * way of asking (postgres.js 3.4.9, `fetch_types`) leaves a rejection unhandled when the connection is lost just then.
 */
export async function learnArrayTypes(client: postgres.Sql): Promise<void> {
  const { parsers, serializers } = client.options;
  const types = await client.unsafe<{ element: number; list: number }[]>(`
    select distinct e.oid as element, e.typarray as list
      from pg_catalog.pg_type a join pg_catalog.pg_type e on e.oid = a.typelem
     where a.typcategory = 'A' and e.typarray <> 0`);
  for (const { element, list } of types) {
    if (parsers[list] !== undefined && serializers[list] !== undefined) continue;
    const delimiter = list === boxArray ? ";" : usualDelimiter;
    const parse: Parse = parsers[element] ?? ((text) => text);
    const serialize: Serialize | undefined = serializers[element];
    parsers[list] = (text: string) => parseArray(text, parse, delimiter);
    serializers[list] = (value) => (Array.isArray(value) ? writeArray(value, serialize, delimiter) : value);
  }
}

/** Parses the text of an array, nested ones too; bounds that do not begin at 1 are left out. */
export function parseArray(text: string, parse: Parse, delimiter = usualDelimiter): unknown[] {
  let at = text.indexOf("{");
  const quoted = (): string => {
    let value = "";
    for (at += 1; at < text.length && text[at] !== '"'; at++) value += text[at] === "\\" ? text[++at] : text[at];
    at += 1;
    return value;
  };
  const plain = (): unknown => {
    const start = at;
    while (at < text.length && text[at] !== delimiter && text[at] !== "}") at += 1;
    const value = text.slice(start, at);
    return value.toUpperCase() === "NULL" ? null : parse(value);
  };
  const list = (): unknown[] => {
    const values: unknown[] = [];
    for (at += 1; at < text.length && text[at] !== "}"; ) {
      if (text[at] === delimiter) at += 1;
      values.push(text[at] === "{" ? list() : text[at] === '"' ? parse(quoted()) : plain());
    }
    at += 1;
    return values;
  };
  return at < 0 ? [] : list();
}

/** The text of an array: every value in quotes, so that none is taken for NULL or a delimiter. */
export function writeArray(values: readonly unknown[], serialize?: Serialize, delimiter = usualDelimiter): string {
  const parts = values.map((value) => {
    if (value === null || value === undefined) return "NULL";
    if (Array.isArray(value)) return writeArray(value, serialize, delimiter);
    const text = String(serialize === undefined ? value : serialize(value));
    return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
  });
  return `{${parts.join(delimiter)}}`;
}

/** A column as the generator sees it. */
export interface SeedColumn {
  readonly name: string;
  /** Base type under any domain, as format_type writes it. */
  readonly type: string;
  readonly notNull: boolean;
  readonly labels: readonly string[] | null;
  /** Literals that checks on this column name. */
  readonly allowed: readonly string[];
}

/** A number from 0 up to `below`, always the same for the same words and seed (FNV-1a). */
export function pick(below: number, ...words: readonly (string | number)[]): number {
  let hash = 2166136261;
  for (const letter of words.join("\u0000")) hash = Math.imul(hash ^ letter.charCodeAt(0), 16777619) >>> 0;
  return hash % below;
}

/** SQL text of a value; `attempt` tells which of several kinds of value to try. */
export function valueFor(
  column: SeedColumn,
  words: { seed: number; table: string; row: number; attempt: number },
): string {
  const { seed, table, row, attempt } = words;
  const n = pick(1_000_000, seed, table, column.name, row, attempt);
  if (!column.notNull && (attempt === 2 || (attempt === 0 && n % 5 === 0))) return "null";
  if (column.labels !== null) return literal(column.labels[n % column.labels.length]!);
  if (column.allowed.length > 0 && attempt < 5) return literal(column.allowed[n % column.allowed.length]!);
  return byType(column.type, attempt >= 3 ? row + 1 : n, attempt);
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function byType(type: string, n: number, attempt: number): string {
  if (type.endsWith("[]"))
    return attempt % 2 === 1 ? `array[${byType(type.slice(0, -2), n, attempt)}]::${type}` : "'{}'";
  const length = Number(type.match(/^(?:character varying|character|bpchar|varchar)\((\d+)\)/)?.[1] ?? 0);
  if (/^jsonb?$/.test(type)) return attempt % 2 === 1 ? "'{}'" : `'{"b": ${n}, "a": [1.0, null, "x\\ty"]}'`;
  if (type === "boolean") return n % 2 === 0 ? "true" : "false";
  if (type === "uuid") return `'00000000-0000-4000-8000-${String(n).padStart(12, "0")}'`;
  if (/^timestamp|^date/.test(type)) return `timestamp '2024-01-01' + interval '${n} minutes'`;
  if (/^time/.test(type)) return `time '00:00' + interval '${n % 1000} minutes'`;
  if (type === "interval") return `'1 month ${n % 100} days'`;
  if (type === "bytea") return `'\\x00${(n % 256).toString(16).padStart(2, "0")}'`;
  if (type === "smallint") return String(n % 30_000);
  if (/^numeric/.test(type)) return attempt >= 3 ? String(n) : `${n % 10}.50`;
  if (/^(integer|bigint|real|double|oid)/.test(type)) return String(n);
  if (/range$/.test(type)) return "'empty'";
  if (/^(inet|cidr)/.test(type)) return `'10.0.${n % 256}.0'`;
  if (type === "tsvector") return `to_tsvector('simple', 'w${n}')`;
  if (type === "ltree") return `'a.b${n}'`;
  if (type === "semver_triple") return `'(1,2,${n % 100})'`;
  if (type === "hstore") return `'k => ${n}'`;
  if (/^"?char"?$/.test(type)) return "'c'";
  const text = attempt === 0 ? `t\\${n}\u00e9` : attempt === 4 ? `{"k": ${n}}` : `t${n}`;
  return literal(length > 0 ? text.slice(-length) : text);
}

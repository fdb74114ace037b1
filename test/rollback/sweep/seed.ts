import { type Client, connect } from "./state.ts";
import { pick, type SeedColumn, valueFor } from "./values.ts";

interface SeedTable {
  readonly name: string;
  readonly columns: readonly SeedColumn[];
  readonly keys: readonly { columns: readonly string[]; parent: string; parentColumns: readonly string[] }[];
}

const rowsPerTable = 3;
const attempts = 7;

/** Puts up to three generated rows into every table, parents first; answers the tables that would not take any. */
export async function seedTables(url: string, seed: number): Promise<string[]> {
  const sql = connect(url);
  try {
    let waiting = await readTables(sql);
    for (let round = 0; round < 4 && waiting.length > 0; round++) {
      const refused: SeedTable[] = [];
      for (const table of waiting) if (!(await seedTable(sql, table, seed))) refused.push(table);
      if (refused.length === waiting.length && round > 0) break;
      waiting = refused;
    }
    await advanceSequences(sql);
    await sql.unsafe("analyze");
    return waiting.map(({ name }) => name);
  } finally {
    await sql.end();
  }
}

async function seedTable(sql: Client, table: SeedTable, seed: number): Promise<boolean> {
  const parents = new Map<string, string[][]>();
  for (const { parent, parentColumns } of table.keys)
    parents.set(parent + parentColumns, await readKeys(sql, parent, parentColumns));
  let done = 0;
  for (let row = 0; row < rowsPerTable; row++)
    for (let attempt = 0; attempt < attempts; attempt++) {
      const values = new Map(
        table.columns.map((column) => [column.name, valueFor(column, { seed, table: table.name, row, attempt })]),
      );
      for (const [place, key] of table.keys.entries()) {
        const rows = parents.get(key.parent + key.parentColumns)!;
        const found =
          rows.length === 0 ? null : rows[(row + place + pick(5, seed, table.name, attempt)) % rows.length]!;
        for (const [index, column] of key.columns.entries())
          values.set(column, found === null ? "null" : `'${found[index]!.replaceAll("'", "''")}'`);
      }
      const names = [...values.keys()].map(quote).join(", ");
      const text =
        values.size === 0
          ? `insert into ${table.name} default values`
          : `insert into ${table.name} (${names}) overriding system value values (${[...values.values()].join(", ")})`;
      const fine = await sql.unsafe(text).then(
        () => true,
        () => false,
      );
      if (!fine) continue;
      done++;
      break;
    }
  return done > 0;
}

async function readKeys(sql: Client, parent: string, columns: readonly string[]): Promise<string[][]> {
  const values = columns.map((column) => `${quote(column)}::text`).join(", ");
  const rows = await sql.unsafe(
    `select array[${values}] as key from ${parent} where (${columns.map((c) => `${quote(c)} is not null`).join(" and ")}) order by 1 limit 5`,
  );
  return rows.map(({ key }) => key);
}

async function readTables(sql: Client): Promise<SeedTable[]> {
  const rows = await sql.unsafe(`
    select format('%I.%I', n.nspname, c.relname) as name,
      coalesce((select json_agg(json_build_object(
          'name', a.attname, 'notNull', a.attnotnull,
          'type', format_type(coalesce(nullif(t.typbasetype, 0), t.oid), case when t.typbasetype = 0 then a.atttypmod else t.typtypmod end),
          'labels', (select json_agg(enumlabel order by enumsortorder) from pg_enum where enumtypid = coalesce(nullif(t.typbasetype, 0), t.oid)),
          'checks', (select string_agg(pg_get_constraintdef(k.oid), ' ') from pg_constraint k
                      where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum])) order by a.attnum)
         from pg_attribute a join pg_type t on t.oid = a.atttypid
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''), '[]') as columns,
      coalesce((select json_agg(json_build_object('parent', k.confrelid::regclass::text,
          'columns', (select json_agg(attname order by i) from unnest(k.conkey) with ordinality u(n, i) join pg_attribute on attrelid = k.conrelid and attnum = n),
          'parentColumns', (select json_agg(attname order by i) from unnest(k.confkey) with ordinality u(n, i) join pg_attribute on attrelid = k.confrelid and attnum = n)))
         from pg_constraint k where k.conrelid = c.oid and k.contype = 'f'), '[]') as keys
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'belay')
       and not exists (select from pg_depend where objid = c.oid and deptype = 'e')
     order by (select count(*) from pg_constraint where conrelid = c.oid and contype = 'f'), 1`);
  return rows.map(({ name, columns, keys }) => ({
    name,
    keys,
    columns: columns.map((column: SeedColumn & { checks: string | null }) => ({
      ...column,
      allowed: literalsOf(column.checks ?? ""),
    })),
  }));
}

/** Text literals of `x = ANY (ARRAY['a'::text, ...])` and the like. */
function literalsOf(checks: string): string[] {
  if (/~|length/.test(checks)) return [];
  return [...checks.matchAll(/'((?:[^']|'')*)'::/g)].map((found) => found[1]!.replaceAll("''", "'"));
}

/** Sequences stand where the application would have left them: at their columns' greatest value. */
async function advanceSequences(sql: Client): Promise<void> {
  const owned = await sql.unsafe(`
    select s.oid::regclass::text as sequence, t.oid::regclass::text as table, quote_ident(a.attname) as column
      from pg_class s join pg_depend d on d.objid = s.oid and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i') and d.refobjsubid > 0
      join pg_class t on t.oid = d.refobjid join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
      join pg_namespace n on n.oid = s.relnamespace
     where s.relkind = 'S' and n.nspname <> 'belay'`);
  for (const { sequence, table, column } of owned)
    await sql
      .unsafe(
        `select setval('${sequence.replaceAll("'", "''")}', max(${column})::int8) from ${table} having max(${column})::int8 > 0`,
      )
      .catch(() => {});
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

import postgres from "postgres";

/** A row as the text of its values, in the order of `columns`. */
export type Row = readonly (string | null)[];

export interface Column {
  readonly number: number;
  readonly name: string;
  readonly generated: boolean;
}

export interface TableRows {
  readonly oid: number;
  /** Schema and name, quoted where needed. */
  readonly name: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

/** Every row and every sequence of a database, read by plain SQL with nothing of Belay's. */
export interface State {
  readonly tables: readonly TableRows[];
  readonly sequences: Readonly<Record<string, string>>;
}

export type Client = postgres.Sql;

/** A connection that writes values as an archive writes them. */
export function connect(url: string): Client {
  return postgres(url, {
    max: 1,
    onnotice: () => {},
    connection: {
      TimeZone: "UTC",
      DateStyle: "ISO, YMD",
      IntervalStyle: "postgres",
      extra_float_digits: 3,
      bytea_output: "hex",
    },
  });
}

const outside = `n.nspname not in ('pg_catalog', 'information_schema', 'belay') and n.nspname !~ '^pg_(toast|temp)'`;

export async function readState(url: string): Promise<State> {
  const sql = connect(url);
  try {
    const relations = await sql.unsafe(`
      select c.oid::int8::text as oid, c.relkind as kind, format('%I.%I', n.nspname, c.relname) as name,
             coalesce((select json_agg(json_build_object('number', attnum, 'name', attname, 'generated', attgenerated <> '')
                                       order by attnum)
                         from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped), '[]') as columns
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'S') and ${outside} order by 3`);
    const tables = relations.filter(({ kind }) => kind === "r");
    const rows = await readAll(sql, tables as unknown as { name: string; columns: Column[] }[]);
    const sequences = relations.filter(({ kind }) => kind === "S");
    const values = await sql.unsafe(
      sequences.length === 0
        ? "select '' as name, '' as value limit 0"
        : sequences
            .map(
              ({ name }) =>
                `select '${name.replaceAll("'", "''")}' as name, last_value || '/' || is_called as value from ${name}`,
            )
            .join(" union all "),
    );
    return {
      tables: tables.map(({ oid, name, columns }, index) => ({ oid: Number(oid), name, columns, rows: rows[index]! })),
      sequences: Object.fromEntries(values.map(({ name, value }) => [name, value])),
    };
  } finally {
    await sql.end();
  }
}

async function readAll(sql: Client, tables: readonly { name: string; columns: Column[] }[]): Promise<Row[][]> {
  if (tables.length === 0) return [];
  const parts = tables.map(({ name, columns }, index) => {
    const values = columns.map((column) => outputOf(`t."${column.name.replaceAll('"', '""')}"`)).join(", ");
    return `select ${index} as i, (select coalesce(json_agg(to_json(array[${values}]::text[])), '[]') from only ${name} t)::text as rows`;
  });
  const answers = await sql.unsafe(`${parts.join(" union all ")} order by 1`);
  return answers.map(({ rows }) => JSON.parse(rows));
}

/** The type's own output, as COPY writes it: a cast to text says "true" where COPY says "t". */
function outputOf(column: string): string {
  return `case when num_nulls(${column}) = 0 then format('%s', ${column}) end`;
}

/** Rows as one comparable text each, sorted. */
export function sorted(rows: readonly Row[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}

/** Rows with the named columns alone, in that order. */
export function project(table: Pick<TableRows, "columns" | "rows">, names: readonly string[]): Row[] {
  const places = names.map((name) => table.columns.findIndex((column) => column.name === name));
  return table.rows.map((row) => places.map((place) => row[place] ?? null));
}

/** In which tables, rows and sequences two states differ, whatever the oids and the order of columns; empty when equal. */
export function stateDifferences(before: State, after: State): string[] {
  const found: string[] = [];
  const now = new Map(after.tables.map((table) => [table.name, table]));
  for (const table of before.tables) {
    const same = now.get(table.name);
    now.delete(table.name);
    if (same === undefined) {
      found.push(`table ${table.name} is missing`);
      continue;
    }
    const names = table.columns.map(({ name }) => name).sort();
    const others = same.columns.map(({ name }) => name).sort();
    if (names.join() !== others.join()) found.push(`columns of ${table.name}: ${names} became ${others}`);
    else if (sorted(project(table, names)).join() !== sorted(project(same, names)).join())
      found.push(`rows of ${table.name}: ${sorted(project(table, names))} became ${sorted(project(same, names))}`);
  }
  for (const name of now.keys()) found.push(`table ${name} is too much`);
  for (const name of new Set([...Object.keys(before.sequences), ...Object.keys(after.sequences)]))
    if (before.sequences[name] !== after.sequences[name])
      found.push(`sequence ${name}: ${before.sequences[name]} became ${after.sequences[name]}`);
  return found;
}

/** The same with all moments of this run made equal: rollbacks and their triggers write now(). */
export function timeless(state: State): State {
  const today = new Date().toISOString().slice(0, 11).replace("T", " ");
  const plain = (value: string | null) => (value?.startsWith(today) ? "now" : value);
  return {
    ...state,
    tables: state.tables.map((table) => ({ ...table, rows: table.rows.map((row) => row.map(plain)) })),
  };
}

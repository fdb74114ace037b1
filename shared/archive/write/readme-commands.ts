import { qualified, quoteIdent, quoteLiteral } from "../../catalog/identifiers.ts";
import type { ArchiveInput } from "./input.ts";
import type { TableToArchive } from "./layout.ts";

type SideTable = TableToArchive & { readonly mergesInto: NonNullable<TableToArchive["mergesInto"]> };

/** A shell script that puts an archive back into the database it came from, as the end of README.txt. */
export function byHand(input: ArchiveInput): string[] {
  const sides = input.tables.filter((table): table is SideTable => table.mergesInto !== null);
  const columns = input.standing?.columns ?? sides.flatMap(addColumns(input));
  const values = [...sides.flatMap(merge(input)), ...(sides.length === 0 ? [] : ["DROP SCHEMA belay_lost;"])];
  return [
    "",
    "To put this back by hand into the database it came from: all below are commands for sh. Set the first two, then run",
    "step by step. Steps 1, 3 and 7 say that what is still there already exists, and go on: that is as it should be.",
    "Belay's own record and your migration tool's still say that the migration is rolled back: `belay undo` then finds",
    "everything there and settles both.",
    "",
    "DB=postgres://USER@HOST:5432/DATABASE",
    "ARCHIVE=THIS_FOLDER",
    "",
    ...psql(
      "# 0. The tables that the rollback moved away, back to their places with their rows.",
      input.moved?.back ?? [],
    ),
    "# 1. Schemas, types, functions, tables, views.",
    'pg_restore --section=pre-data -d "$DB" "$ARCHIVE"',
    "",
    ...psql("# 2. Columns that tables lack which are still there, without values yet.", columns),
    ...(columns.length === 0
      ? []
      : ["# 3. What needs those columns.", 'pg_restore --section=pre-data -d "$DB" "$ARCHIVE"', ""]),
    ...psql(
      "# 4. Tables that are still there with other rows are emptied: copy first what is newer in them and shall stay.",
      input.standing?.emptied ?? [],
    ),
    "# 5. The rows. This step must end without an error.",
    'pg_restore --section=data --exit-on-error -d "$DB" "$ARCHIVE"',
    "",
    ...psql("# 6. The values of lost columns, to their rows; then what checks them.", [
      ...values,
      ...(input.standing?.settled ?? []),
    ]),
    "# 7. Indexes, keys, triggers, policies, materialised views.",
    'pg_restore --section=post-data -d "$DB" "$ARCHIVE"',
    "",
    ...psql("# 8. Sequences, and foreign keys that lead out of this archive.", [
      ...input.sequences.map(
        ({ schema, name, lastValue, isCalled }) =>
          `SELECT pg_catalog.setval(${quoteLiteral(qualified(schema, name))}, ${lastValue}, ${isCalled});`,
      ),
      ...input.external.flatMap(({ create }) => foreignKeyAgain(create)),
    ]),
    ...psql("# 9. The schema that held the tables, empty now.", input.moved?.last ?? []),
  ];
}

/** A here-document for psql; nothing when there is nothing to run. */
function psql(title: string, statements: readonly string[]): string[] {
  if (statements.length === 0) return [];
  return [title, `psql -X -v ON_ERROR_STOP=1 -d "$DB" <<'END_OF_SQL'`, ...statements, "END_OF_SQL", ""];
}

interface LostColumn {
  readonly name: string;
  /** Name, type, collation and default. */
  readonly definition: string;
  readonly notNull: boolean;
}

function addColumns(input: ArchiveInput) {
  return (side: SideTable) =>
    lostColumns(input, side).map(
      ({ definition }) => `ALTER TABLE ${target(side)} ADD COLUMN IF NOT EXISTS ${definition};`,
    );
}

function merge(input: ArchiveInput) {
  return (side: SideTable) => {
    const { key, columns } = side.mergesInto;
    const set = columns.map((column) => `${quoteIdent(column)} = s.${quoteIdent(column)}`).join(", ");
    const match = key.map((column) => `t.${quoteIdent(column)} = s.${quoteIdent(column)}`).join(" AND ");
    const from = qualified(side.schema, side.table);
    const required = lostColumns(input, side).filter(({ notNull }) => notNull);
    return [
      `UPDATE ONLY ${target(side)} t SET ${set} FROM ${from} s WHERE ${match};`,
      ...required.map(({ name }) => `ALTER TABLE ${target(side)} ALTER COLUMN ${quoteIdent(name)} SET NOT NULL;`),
      `DROP TABLE ${from};`,
    ];
  };
}

function target({ mergesInto }: SideTable): string {
  return qualified(mergesInto.schema, mergesInto.table);
}

/** As the table's own CREATE text has them, one column to a line; without it, as the side table's has. */
function lostColumns(input: ArchiveInput, side: SideTable): LostColumn[] {
  const { schema, table, columns } = side.mergesInto;
  const texts = input.entries
    .filter(({ kind, ...entry }) => kind === "TABLE" && entry.schema === schema && entry.name === table)
    .concat(input.entries.filter(({ key }) => key === side.entry))
    .map(({ create }) => create.split("\n").map((line) => line.trim().replace(/,$/, "")));
  return columns.map((name) => {
    const found = texts.flatMap((lines) => lines.filter((line) => line.startsWith(`${quoteIdent(name)} `)))[0];
    const notNull = found?.endsWith(" NOT NULL") ?? false;
    return { name, definition: (found ?? `${quoteIdent(name)} text`).replace(/ NOT NULL$/, ""), notNull };
  });
}

/** A foreign key of a table that was left standing may be there still. */
function foreignKeyAgain(create: string): string[] {
  const parts = create.match(/^\s*ALTER TABLE (?:ONLY )?(\S.*?)\s+ADD CONSTRAINT ("(?:[^"]|"")+"|\S+) FOREIGN KEY/s);
  const drop = parts === null ? [] : [`ALTER TABLE ${parts[1]} DROP CONSTRAINT IF EXISTS ${parts[2]};`];
  return [...drop, create.trim()];
}

import type { ConfigurationTable } from "../../catalog/configuration-tables.ts";
import type { Entry } from "../../catalog/types.ts";
import type { Session } from "../../postgres/session.ts";
import { readValues } from "./data-of-catalog.ts";
import type { SequenceToArchive, TableToArchive } from "./layout.ts";

/** What users keep in tables that extensions made: rows and values without the tables and sequences themselves. */
export async function configurationData(
  session: Session,
  configured: readonly ConfigurationTable[],
  entries: readonly Entry[],
): Promise<{ tables: TableToArchive[]; sequences: SequenceToArchive[] }> {
  const extensions = new Map(entries.filter(({ kind }) => kind === "EXTENSION").map(({ name, key }) => [name, key]));
  const comesWith = ({ oid, owner, extension, references }: ConfigurationTable) => {
    const entry = extensions.get(extension);
    return { oid, owner, references, ...(entry === undefined ? {} : { entry }) };
  };
  const sequences = configured.filter(({ kind }) => kind === "SEQUENCE");
  const values = await readValues(session, sequences);
  return {
    tables: configured.filter(({ kind }) => kind === "TABLE").map((table) => toArchive(table, comesWith(table))),
    sequences: sequences.map((sequence, index) => ({ ...values[index]!, comesWith: comesWith(sequence) })),
  };
}

function toArchive(table: ConfigurationTable, comesWith: TableToArchive["comesWith"]): TableToArchive {
  const { schema, name, columns, condition, bytes } = table;
  return {
    entry: null,
    ...(comesWith === undefined ? {} : { comesWith }),
    schema,
    table: name,
    columns,
    role: "configuration",
    mergesInto: null,
    sizeHint: bytes,
    ...(condition.trim() === "" ? {} : { from: { schema, table: name, suffix: condition } }),
  };
}

import { surveyPlain } from "../../../shared/archive/read/plain/survey.ts";
import type { PlainArchive } from "../../../shared/archive/read/types.ts";
import { listed } from "../../../shared/words.ts";
import { printable } from "../../render/printable.ts";
import { hang, table } from "../../render/wrap.ts";
import { bytes, count, paint, type Terminal } from "../../terminal.ts";

/** Shows what a script holds. It has no table of contents, so all of it is read; `report` says how far. */
export async function showPlain(
  terminal: Terminal,
  archive: PlainArchive,
  report: (stored: number) => void,
): Promise<void> {
  const { place, bytes: size } = archive;
  const survey = await surveyPlain(archive, { onBytes: report });
  terminal.settle();
  if (terminal.json) terminal.document({ archive: place.url, format: "plain", storedBytes: size, ...survey });
  const fact = (name: string, text: string) => {
    for (const line of hang(`  ${name.padEnd(13)} `, printable(text), terminal.width)) terminal.line(line);
  };
  terminal.line(paint("bold", printable(place.url)));
  fact("Format", `plain SQL${survey.complete === null ? ", not pg_dump's" : ""}`);
  if (survey.dumpVersion !== null)
    fact("Dumped", `by pg_dump ${survey.dumpVersion} from PostgreSQL ${survey.serverVersion ?? "?"}`);
  if (survey.complete === false) fact("Cut", "pg_dump's closing line is not in it");
  fact("Stored", size === null ? "unknown" : bytes(size));
  const rows = survey.tables.reduce((sum, one) => sum + one.rows, 0);
  const inserts = survey.insertRows === 0 ? "" : `, ${count(survey.insertRows, "row")} by INSERT`;
  fact("Holds", `${count(survey.statements, "statement")}, ${count(rows, "row")}${inserts}`);
  if (survey.largeObjects > 0) fact("Large objects", survey.largeObjects.toLocaleString("en-US"));
  if (survey.database !== null) fact("Database", survey.database);
  if (survey.extensions.length > 0) fact("Extensions", listed(survey.extensions, 50));
  if (survey.roles.length > 0) fact("Roles", listed(survey.roles, 50));
  for (const { line, why } of survey.problems.slice(0, 20)) fact("Refused", `line ${line}: ${why}`);
  const lines = survey.tables.map((one) => [
    printable(one.schema === null ? one.table : `${one.schema}.${one.table}`),
    count(one.rows, "row"),
  ]);
  if (lines.length > 0) for (const line of table(["table", "rows"], lines)) terminal.line(`  ${line}`);
}

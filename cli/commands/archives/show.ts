import { describeArchive } from "../../../shared/archive/describe.ts";
import type { Manifest } from "../../../shared/archive/types.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exit } from "../../exit.ts";
import { printable } from "../../render/printable.ts";
import { hang, table } from "../../render/wrap.ts";
import { bytes, count, moment, paint, type Terminal } from "../../terminal.ts";
import { showPlain } from "./show-plain.ts";

/** Shows what an archive holds, without reading its rows; a script has to be read. */
export async function showArchive({ terminal, belay, openArchive }: Invocation, word: string): Promise<ExitCode> {
  const archive = await openArchive(word);
  if (archive.format === "plain") {
    const total = archive.bytes ?? undefined;
    await showPlain(terminal, archive, (done) =>
      belay.report({ phase: "show", message: "reading the script", done, total, unit: "bytes" }),
    );
  } else if (archive.manifest !== null) showOwn(terminal, archive.manifest);
  else showStock(terminal, describeArchive(archive));
  return exit.done;
}

function showOwn(terminal: Terminal, manifest: Manifest): void {
  if (terminal.json) terminal.document(manifest);
  const stored = manifest.objects.reduce((sum, object) => sum + object.bytes, 0);
  terminal.line(paint("bold", manifest.id));
  fact(terminal, "Purpose", `${manifest.purpose}${manifest.migration === null ? "" : ` of ${manifest.migration}`}`);
  const { database, serverVersion } = manifest.source;
  fact(terminal, "Snapshot", `${moment(manifest.snapshotAt)} of ${database} (PostgreSQL ${serverVersion})`);
  fact(terminal, "By", `${manifest.createdBy}: ${manifest.reason}`);
  const entries = count(manifest.entries.length, "catalog entry", "catalog entries");
  fact(terminal, "Stored", `${bytes(stored)} in ${count(manifest.objects.length, "object")}, ${entries}`);
  if (manifest.largeObjects.length > 0) fact(terminal, "Large objects", largeObjects(manifest));
  if (manifest.extensions.length > 0)
    fact(terminal, "Extensions", manifest.extensions.map(({ name, version }) => `${name} ${version}`).join(", "));
  if (manifest.roles.length > 0) fact(terminal, "Roles", manifest.roles.join(", "));
  const rows = manifest.tables.map((one) => [
    printable(`${one.schema}.${one.table}`),
    one.role,
    count(one.rows, "row"),
    bytes(one.rawBytes),
    one.file,
  ]);
  if (rows.length > 0)
    for (const line of table(["table", "holds", "rows", "COPY text", "file"], rows)) terminal.line(`  ${line}`);
  for (const one of manifest.sequences)
    terminal.line(printable(`  sequence ${one.schema}.${one.name} at ${one.lastValue}`));
  for (const one of manifest.external)
    terminal.line(printable(`  foreign key ${one.name} leads out to ${one.references}`));
}

function largeObjects({ largeObjects }: Manifest): string {
  const size = largeObjects.reduce((sum, one) => sum + one.bytes, 0);
  return `${largeObjects.length.toLocaleString("en-US")}, ${bytes(size)}`;
}

function showStock(terminal: Terminal, one: ReturnType<typeof describeArchive>): void {
  if (terminal.json) terminal.document(one);
  terminal.line(paint("bold", printable(one.archive)));
  fact(terminal, "Format", `${one.format} ${one.formatVersion}, compression ${one.compression}, ${one.encoding}`);
  fact(
    terminal,
    "Dumped",
    `${one.createdAt.replace("T", " ")} (its host's clock) by pg_dump ${one.dumpVersion ?? "?"}`,
  );
  fact(terminal, "From", `${one.database ?? "?"} (PostgreSQL ${one.serverVersion ?? "?"})`);
  fact(terminal, "Holds", `${count(one.entries, "entry", "entries")}, data of ${count(one.tables.length, "table")}`);
  if (one.largeObjects > 0) {
    const size = one.largeObjectBytes === null ? "" : `, ${bytes(one.largeObjectBytes)} stored`;
    fact(terminal, "Large objects", `${one.largeObjects.toLocaleString("en-US")}${size}`);
  }
  if (one.extensions.length > 0) fact(terminal, "Extensions", one.extensions.join(", "));
  if (one.roles.length > 0) fact(terminal, "Roles", one.roles.join(", "));
  const rows = one.tables.map(({ schema, table, storedBytes, inserts }) => [
    printable(`${schema}.${table}`),
    storedBytes === null ? "unknown" : bytes(storedBytes),
    inserts ? "INSERT" : "COPY",
  ]);
  if (rows.length > 0) for (const line of table(["table", "stored", "as"], rows)) terminal.line(`  ${line}`);
}

function fact(terminal: Terminal, name: string, text: string): void {
  for (const line of hang(`  ${name.padEnd(13)} `, printable(text), terminal.width)) terminal.line(line);
}

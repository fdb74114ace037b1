import { listArchives, readManifest } from "../../shared/archive/list.ts";
import type { Manifest } from "../../shared/archive/types.ts";
import { verifyArchive } from "../../shared/archive/verify.ts";
import { BelayError } from "../../shared/errors.ts";
import type { Command, Invocation } from "../command.ts";
import { type ExitCode, exit } from "../exit.ts";
import { table } from "../render/wrap.ts";
import { bytes, count, mark, moment, paint } from "../terminal.ts";

export const archives: Command = {
  name: "archives",
  summary: "list archives, show one, or read every byte of one again",
  usage: "[list | show ARCHIVE | verify ARCHIVE]",
  flags: {},
  help: [],
  words: { min: 0, max: 2 },
  run: async (invocation) => {
    const [action = "list", id] = invocation.words;
    if (action === "list") return list(invocation);
    if (id === undefined || (action !== "show" && action !== "verify"))
      throw new BelayError("usage", `belay archives does not know ${invocation.words.join(" ")}`, {
        hint: "belay archives list, belay archives show ARCHIVE or belay archives verify ARCHIVE",
      });
    return action === "show" ? show(invocation, id) : verify(invocation, id);
  },
};

const storedBytes = (manifest: Manifest) => manifest.objects.reduce((sum, object) => sum + object.bytes, 0);
const rowCount = (manifest: Manifest) => manifest.tables.reduce((sum, one) => sum + one.rows, 0);

async function list({ belay, terminal }: Invocation): Promise<ExitCode> {
  const manifests: Manifest[] = [];
  for (const archive of await listArchives(belay.store)) manifests.push(await readManifest(belay.store, archive.id));
  if (terminal.json) terminal.document({ store: belay.store.url, archives: manifests });
  const rows = manifests.map((one) => [
    one.id,
    one.purpose,
    moment(one.snapshotAt),
    count(one.tables.length, "table"),
    count(rowCount(one), "row"),
    bytes(storedBytes(one)),
    one.createdBy,
    one.migration ?? "-",
  ]);
  terminal.line(`${count(rows.length, "archive")} in ${belay.store.url}`);
  if (rows.length === 0) terminal.line("  If there should be some, check --store or BELAY_STORE.");
  else
    for (const line of table(
      ["archive", "purpose", "snapshot", "tables", "rows", "stored", "by", "migration"],
      rows,
      terminal.width,
    ))
      terminal.line(line);
  return exit.done;
}

async function show({ belay, terminal }: Invocation, id: string): Promise<ExitCode> {
  const manifest = await readManifest(belay.store, id);
  if (terminal.json) terminal.document(manifest);
  terminal.line(paint("bold", manifest.id));
  terminal.line(`  Purpose   ${manifest.purpose}${manifest.migration === null ? "" : ` of ${manifest.migration}`}`);
  terminal.line(
    `  Snapshot  ${moment(manifest.snapshotAt)} of ${manifest.source.database} (PostgreSQL ${manifest.source.serverVersion})`,
  );
  terminal.line(`  By        ${manifest.createdBy}: ${manifest.reason}`);
  terminal.line(
    `  Stored    ${bytes(storedBytes(manifest))} in ${count(manifest.objects.length, "object")}, ${count(manifest.entries.length, "catalog entry", "catalog entries")}`,
  );
  const rows = manifest.tables.map((one) => [
    `${one.schema}.${one.table}`,
    one.role,
    count(one.rows, "row"),
    bytes(one.rawBytes),
    one.file,
  ]);
  if (rows.length > 0)
    for (const line of table(["table", "holds", "rows", "COPY text", "file"], rows)) terminal.line(`  ${line}`);
  for (const one of manifest.sequences) terminal.line(`  sequence ${one.schema}.${one.name} at ${one.lastValue}`);
  for (const one of manifest.external) terminal.line(`  foreign key ${one.name} leads out to ${one.references}`);
  return exit.done;
}

async function verify({ belay, terminal }: Invocation, id: string): Promise<ExitCode> {
  const verification = await verifyArchive(belay.store, id);
  if (terminal.json) terminal.document({ archive: id, ...verification });
  const { problems } = verification;
  terminal.line(
    problems.length === 0
      ? `${mark.yes()} ${id}: every byte read back and decoded`
      : `${mark.no()} ${id}: ${count(problems.length, "problem")}`,
  );
  for (const problem of problems) terminal.line(`  ${typeof problem === "string" ? problem : JSON.stringify(problem)}`);
  return problems.length === 0 ? exit.done : exit.failed;
}

import { manifestsAtOnce, readManifest, surveyArchives } from "../../../shared/archive/list.ts";
import { mapPooled } from "../../../shared/pool.ts";
import { openStore } from "../../../shared/store/open.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exit } from "../../exit.ts";
import { storePlace } from "../../places.ts";
import { printable } from "../../render/printable.ts";
import { table } from "../../render/wrap.ts";
import { bytes, count, mark, moment } from "../../terminal.ts";

/** Lists the archives of the store, or of another one; damaged ones too, which are a failure. */
export async function listArchives(invocation: Invocation, place: string | undefined): Promise<ExitCode> {
  const { belay, terminal, credentials } = invocation;
  const store = place === undefined ? belay.store : openStore(storePlace(place), credentials);
  const { whole, damaged, unfinished } = await surveyArchives(store);
  if (terminal.json) {
    const archives = await mapPooled(whole, manifestsAtOnce, ({ id }) => readManifest(store, id));
    terminal.document({ store: store.url, archives, damaged, unfinished });
  }
  terminal.line(`${count(whole.length, "archive")} in ${store.url}`);
  if (whole.length + damaged.length === 0) terminal.line("  If there should be some, check --store or BELAY_STORE.");
  const rows = whole.map((one) => [
    one.id,
    one.purpose,
    moment(one.snapshotAt),
    count(one.tables, "table"),
    count(one.rows, "row"),
    bytes(one.bytes),
    printable(one.createdBy),
    printable(one.migration ?? "-"),
  ]);
  if (rows.length > 0)
    for (const line of table(
      ["archive", "purpose", "snapshot", "tables", "rows", "stored", "by", "migration"],
      rows,
      terminal.width,
    ))
      terminal.line(line);
  for (const { id, why } of damaged) terminal.line(`${mark.no()} ${id} cannot be used: ${printable(why)}`);
  for (const id of unfinished)
    terminal.line(`${mark.open()} ${printable(id)} has no manifest: it is being written, or was broken off`);
  return damaged.length === 0 ? exit.done : exit.failed;
}

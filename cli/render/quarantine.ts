import type { KeptRollback, QuarantineList } from "../../shared/rollback/preserve/list.ts";
import type { Purged } from "../../shared/rollback/preserve/purge.ts";
import { bytes, count, mark, moment, paint } from "../terminal.ts";
import { printable } from "./printable.ts";
import { hang, table } from "./wrap.ts";

/** What rollbacks keep in the database, for people. */
export function renderKept({ kept, unknown }: QuarantineList, width: number): string[] {
  const lines = kept.flatMap((each) => renderOne(each, width));
  const strangers = unknown.flatMap((schema) =>
    hang(
      `${mark.open()} `,
      `schema ${printable(schema)} is of no rollback on record here: nothing is done with it`,
      width,
    ),
  );
  if (kept.length === 0) return ["Nothing of a rollback is kept in the database.", ...strangers];
  const due = kept.filter((each) => each.due).length;
  const next = due === 0 ? "" : `  ${count(due, "is due", "are due")}: belay quarantine purge`;
  return [
    ...lines,
    ...strangers,
    `${count(kept.length, "rollback keeps", "rollbacks keep")} rows in the database.${next}`,
  ];
}

function renderOne(one: KeptRollback, width: number): string[] {
  const how = one.mode === "quarantine" ? "moved" : "copied";
  const until = one.due ? paint("yellow", `due since ${moment(one.until)}`) : `until ${moment(one.until)}`;
  const undo = one.undoable ? "can be undone" : paint("red", `cannot be undone: ${printable(one.problem ?? "")}`);
  const rows = one.kept
    .filter(({ kind }) => kind !== "sequence")
    .map((each) => [
      each.kind,
      printable(`${each.schema}.${each.name}`),
      each.rows === null ? "-" : `about ${count(each.rows, "row")}`,
      each.bytes === null ? "-" : bytes(each.bytes),
      printable(`${each.keptIn}.${each.as}`),
    ]);
  return [
    paint("bold", printable(one.migration)),
    ...hang("  ", `${how} ${moment(one.since)}, ${until}; ${undo}`, width),
    `  rollback ${one.rollbackId}`,
    ...table(["kind", "was", "rows", "size", "is now"], rows, width - 2).map((line) => `  ${line}`),
    "",
  ];
}

/** What a purge took, or would take. */
export function renderPurged(
  purged: readonly Purged[],
  { dryRun, width }: { dryRun: boolean; width: number },
): string[] {
  if (purged.length === 0) return ["Nothing is due: see belay quarantine list."];
  return purged.flatMap(({ migration, mode, bytes: size, archiveId, rows, schemas }) => {
    const to = mode === "copy" ? "its archive is verified again" : "into a verified archive";
    const did = dryRun
      ? `would go from ${schemas.join(", ")}, ${bytes(size)}: ${to}`
      : `${count(rows ?? 0, "row")} in archive ${archiveId}; gone from ${schemas.join(", ")}, ${bytes(size)}`;
    return hang(`${dryRun ? mark.open() : mark.yes()} `, `${printable(migration)}: ${did}`, width);
  });
}

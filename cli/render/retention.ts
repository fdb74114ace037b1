import type { PlannedExpiry } from "../../shared/archive/retention/expire.ts";
import type { PrunePlan } from "../../shared/archive/retention/prune.ts";
import type { RemovedArchive } from "../../shared/archive/retention/record-removals.ts";
import type { UnfinishedPlan } from "../../shared/archive/retention/unfinished.ts";
import { bytes, count, mark, paint } from "../terminal.ts";
import { hang, table } from "./wrap.ts";

interface Place {
  readonly store: { readonly url: string };
  now(): Date;
}

/** What stands in the way, and every archive with its verdict and the reason. */
export function pruneLines(plan: PrunePlan, { store, now }: Place, width: number): string[] {
  const at = now();
  const rows = plan.verdicts.map(({ archive, action, reasons }) => [
    archive.id,
    archive.database,
    age(at, new Date(archive.snapshotAt)),
    bytes(archive.bytes),
    action === "keep" ? paint("green", "keep") : paint("red", "remove"),
    reasons.join("; "),
  ]);
  return [
    `${count(rows.length, "archive")} in ${store.url}`,
    ...(rows.length === 0 ? ["  If there should be some, check --store or BELAY_STORE."] : []),
    ...(rows.length > 0 ? table(["archive", "of", "age", "stored", "verdict", "reason"], rows, width) : []),
    ...plan.broken.flatMap((id) =>
      hang("  note: ", `the removal of ${id} broke off: what is left of it goes too`, width),
    ),
    ...(plan.recordsKnown
      ? []
      : hang(
          "  note: ",
          "no database is set, so it is not known which drills passed and which rollbacks can be undone",
          width,
        )),
    ...plan.refusals.flatMap((reason) => hang(`${mark.no()} `, reason, width)),
  ];
}

export function expiryLines(plan: PlannedExpiry): string[] {
  const what =
    plan.purpose === null ? "its manifest is damaged" : `of a ${plan.purpose}, ${bytes(plan.bytes ?? 0)} stored`;
  return [
    `${plan.id}: ${what}`,
    ...plan.blockers.map((reason) => `${mark.no()} ${reason}`),
    ...(plan.recordsKnown
      ? []
      : ["  note: no database is set, so it is not known whether a rollback can be undone from it"]),
  ];
}

/** Prefixes without a manifest and uploads that nobody completed, with the time of their last byte. */
export function unfinishedLines(plan: UnfinishedPlan, { store, now }: Place, width: number): string[] {
  const at = now();
  const verdict = (action: "keep" | "remove") => (action === "keep" ? paint("green", "keep") : paint("red", "remove"));
  const why = (action: "keep" | "remove", active: Date | null) => {
    if (action === "remove") return "silent for long enough";
    return active === null ? "nobody knows since when" : "may still be written";
  };
  const rows = [
    ...plan.archives.map(({ id, objects, bytes: size, active, removing, action }) => [
      id,
      count(objects, "object"),
      bytes(size),
      active === null ? "-" : age(at, active),
      verdict(action),
      removing ? "its removal broke off" : why(action, active),
    ]),
    ...plan.uploads.map(({ key, bytes: size, active, action }) => [
      key,
      "upload",
      bytes(size),
      age(at, active),
      verdict(action),
      why(action, active),
    ]),
  ];
  return [
    rows.length === 0 ? `Nothing unfinished in ${store.url}` : `Unfinished in ${store.url}`,
    ...(rows.length > 0 ? table(["what", "holds", "stored", "silent", "verdict", "reason"], rows, width) : []),
    ...plan.foreign.flatMap((name) =>
      hang("  note: ", `archives/${name} is not of Belay's making and is left alone`, width),
    ),
    ...(plan.uploadsUnknown === null
      ? []
      : hang(
          "  note: ",
          `${plan.uploadsUnknown}: archives need seven days of silence, and uploads a lifecycle rule`,
          width,
        )),
  ];
}

export function removedLines(removed: readonly RemovedArchive[]): string[] {
  return removed.map(({ id, objects, bytes: size, locked }) =>
    locked === null
      ? `${mark.yes()} ${id} removed: ${count(objects, "object")}, ${bytes(size)}`
      : `${mark.no()} ${id} stays: ${locked}`,
  );
}

/** The last line of a run that changed nothing; `what` is null when there was nothing to do. */
export function lastLine(what: string | null, declined: boolean): string {
  if (what === null) return "Nothing to remove.";
  return declined ? "Nothing was removed." : `Nothing was changed: --apply removes ${what}.`;
}

/** How long ago, in the largest unit of which there are at least two: 5 h, 12 d, 8 w, 3 y. */
export function age(now: Date, then: Date): string {
  const hours = Math.max(0, (now.getTime() - then.getTime()) / 3_600_000);
  if (Number.isNaN(hours)) return "-";
  if (hours < 2) return `${Math.floor(hours * 60)} min`;
  if (hours < 48) return `${Math.floor(hours)} h`;
  const days = Math.floor(hours / 24);
  if (days < 60) return `${days} d`;
  return days < 730 ? `${Math.floor(days / 7)} w` : `${Math.floor(days / 365)} y`;
}

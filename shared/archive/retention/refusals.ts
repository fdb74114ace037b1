import type { ArchiveSummary } from "../list.ts";
import type { RetentionFacts } from "./types.ts";

/** A clock may be wrong by so much before an archive counts as one from the future. */
const wrongClockMs = 24 * 3_600_000;

/** Ids that Belay gives, of dumps: nothing else under the archives' prefix is a dump of its making. */
const dumpId = /^dump-(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)z-[0-9a-f]{8}$/;

/**
 * Why nothing at all may be removed: something failed, or what is there is not wholly known. Each sentence names the
 * thing and what to do.
 */
export function refusalsOf({ survey, records, now }: RetentionFacts): string[] {
  return [
    ...survey.damaged.map(
      ({ id, why }) => `${why}; look at it, then belay prune --expire ${id} --reason "..." if it is lost`,
    ),
    ...survey.whole
      .filter((archive) => !isPast(archive, now))
      .map(({ id, snapshotAt }) => fromTheFuture(id, snapshotAt)),
    ...brokenOff(survey.unfinished, survey.whole),
    ...badDrill(records),
  ];
}

function isPast({ snapshotAt }: ArchiveSummary, now: Date): boolean {
  const at = Date.parse(snapshotAt);
  return !Number.isNaN(at) && at <= now.getTime() + wrongClockMs;
}

function fromTheFuture(id: string, snapshotAt: string): string {
  return `the archive ${id} says that it is of ${snapshotAt}, which is not past: look at the clocks`;
}

/** A dump without manifest that is newer than every whole one is running, or it failed. */
function brokenOff(unfinished: readonly string[], whole: readonly ArchiveSummary[]): string[] {
  const newest = Math.max(0, ...whole.filter(isDump).map(({ snapshotAt }) => Date.parse(snapshotAt)));
  return unfinished
    .filter((id) => (momentOf(id) ?? 0) > newest)
    .map((id) => `${id} is a dump that is not finished, and no later one is: it runs, or it failed; dump again first`);
}

function isDump({ purpose }: ArchiveSummary): boolean {
  return purpose === "dump";
}

function momentOf(id: string): number | null {
  const found = dumpId.exec(id);
  if (found === null) return null;
  const [year, month, day, hour, minute, second] = found.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function badDrill(records: RetentionFacts["records"]): string[] {
  const newest = records?.newestDrill;
  if (newest?.verdict === "backup_bad")
    return [`the newest drill found the archive ${newest.archiveId} bad: dump again and drill that first`];
  if (newest?.verdict === "inconclusive")
    return [`the newest drill, of the archive ${newest.archiveId}, came to no result: repeat it first`];
  return [];
}

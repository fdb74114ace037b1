import type { ObjectLock } from "../../store/types.ts";
import type { ArchiveSummary } from "../list.ts";
import { newestOfEach, type Period } from "./buckets.ts";
import type { RetentionPolicy } from "./policy.ts";
import { refusalsOf } from "./refusals.ts";
import type { RetentionFacts, RetentionPlan, RetentionVerdict } from "./types.ts";

/** Decides of every archive whether it is kept, and why; of each database on its own. Pure. */
export function planRetention(facts: RetentionFacts, policy: RetentionPolicy): RetentionPlan {
  const refusals = refusalsOf(facts);
  const reasons = new Map<ArchiveSummary, string[]>();
  for (const archive of facts.survey.whole) reasons.set(archive, protections(archive, facts));
  for (const dumps of dumpsBySource(facts).values()) {
    const keep = (archive: ArchiveSummary, reason: string) => reasons.get(archive)!.push(reason);
    keepNewest(dumps, facts, keep);
    keepByPolicy(dumps, policy, facts.now, keep);
  }
  const verdicts = [...reasons].map(([archive, why]): RetentionVerdict => {
    if (why.length > 0) return { archive, action: "keep", reasons: why };
    if (refusals.length > 0) return { archive, action: "keep", reasons: ["nothing is removed now"] };
    return { archive, action: "remove", reasons: ["no rule keeps it"] };
  });
  return { refusals, verdicts: verdicts.sort((a, b) => newestFirst(a.archive, b.archive)) };
}

type Keep = (archive: ArchiveSummary, reason: string) => void;

/** What keeps an archive whatever the policy says. */
export function protections(archive: ArchiveSummary, { records, locked, now }: RetentionFacts): string[] {
  const reasons: string[] = [];
  if (archive.purpose !== "dump") reasons.push(`of ${article[archive.purpose]}: goes only by --expire`);
  const migration = records?.undoable.get(archive.id);
  if (migration !== undefined) reasons.push(`the rollback of ${migration} can still be undone from it`);
  const lock = locked.get(archive.id);
  if (lock !== undefined && holds(lock, now)) reasons.push(lockReason(lock));
  if (records?.drills.get(archive.id) === "backup_bad") reasons.push("its drill found it bad: goes only by --expire");
  return reasons;
}

export function holds({ until, legalHold }: ObjectLock, now: Date): boolean {
  return legalHold || until === null || until > now;
}

const article = { rollback: "a rollback", undo: "an undo", dump: "a dump", quarantine: "a quarantine" } as const;

export function lockReason({ until, legalHold }: ObjectLock): string {
  return legalHold || until === null ? "locked by a legal hold" : `locked until ${until.toISOString().slice(0, 10)}`;
}

/** Dumps of each database from newest to oldest; bad ones stand apart, so that they push no good one out. */
export function dumpsBySource({ survey, records }: RetentionFacts): Map<string, ArchiveSummary[]> {
  const sources = new Map<string, ArchiveSummary[]>();
  for (const archive of [...survey.whole].sort(newestFirst)) {
    if (archive.purpose !== "dump" || records?.drills.get(archive.id) === "backup_bad") continue;
    if (Number.isNaN(Date.parse(archive.snapshotAt))) continue;
    sources.set(archive.source, [...(sources.get(archive.source) ?? []), archive]);
  }
  return sources;
}

function keepNewest(dumps: readonly ArchiveSummary[], { records }: RetentionFacts, keep: Keep): void {
  if (dumps[0] !== undefined) keep(dumps[0], `the newest of ${dumps[0].database}`);
  const drilled = dumps.find(({ id }) => records?.drills.get(id) === "pass");
  if (drilled !== undefined) keep(drilled, `the newest of ${drilled.database} whose drill passed`);
}

const periods: readonly (readonly [rule: keyof RetentionPolicy, period: Period])[] = [
  ["keepDaily", "day"],
  ["keepWeekly", "week"],
  ["keepMonthly", "month"],
  ["keepYearly", "year"],
];

function keepByPolicy(dumps: readonly ArchiveSummary[], policy: RetentionPolicy, now: Date, keep: Keep): void {
  for (const archive of dumps.slice(0, policy.keepLast ?? 0)) keep(archive, `one of the last ${policy.keepLast}`);
  for (const [rule, period] of periods) {
    const count = policy[rule];
    if (count === undefined) continue;
    for (const [archive, bucket] of newestOfEach(dumps, period, count))
      keep(archive, period === "week" ? `the newest of the ${bucket}` : `the newest of ${bucket}`);
  }
  if (policy.olderThanMs === undefined || dumps[0] === undefined) return;
  // When dumps stop, because they fail, the old ones must not go one by one.
  const border = Math.min(now.getTime(), Date.parse(dumps[0].snapshotAt)) - policy.olderThanMs;
  for (const archive of dumps) if (Date.parse(archive.snapshotAt) > border) keep(archive, "younger than --older-than");
}

function newestFirst(a: ArchiveSummary, b: ArchiveSummary): number {
  const later = Date.parse(b.snapshotAt) - Date.parse(a.snapshotAt);
  if (later !== 0 && !Number.isNaN(later)) return later;
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}

export type Period = "day" | "week" | "month" | "year";

/** The name of the UTC day, ISO week, month or year that a moment lies in; names of one period sort by time. */
export function bucketOf(period: Period, at: Date): string {
  const day = at.toISOString().slice(0, 10);
  if (period === "day") return day;
  if (period === "month") return day.slice(0, 7);
  if (period === "year") return day.slice(0, 4);
  const sinceMonday = (at.getUTCDay() + 6) % 7;
  const monday = Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() - sinceMonday);
  return `week of ${new Date(monday).toISOString().slice(0, 10)}`;
}

/** Of items from newest to oldest, the newest of each of the `count` newest buckets, with its bucket's name. */
export function newestOfEach<Item extends { readonly snapshotAt: string }>(
  items: readonly Item[],
  period: Period,
  count: number,
): Map<Item, string> {
  const kept = new Map<Item, string>();
  const seen = new Set<string>();
  for (const item of items) {
    const bucket = bucketOf(period, new Date(item.snapshotAt));
    if (seen.has(bucket)) continue;
    if (seen.size === count) break;
    seen.add(bucket);
    kept.set(item, bucket);
  }
  return kept;
}

import type { Session } from "../postgres/session.ts";
import type { Problems } from "./walk.ts";

/** The newest anchor in a store that was not asked, as the database remembers it. */
export interface AnchoredElsewhere {
  readonly storeUrl: string;
  readonly id: number;
  readonly hash: string;
  /** What its row has now; null when the row is gone. */
  readonly hashNow: string | null;
}

/** Of every store but this one, newest first. */
export async function readElsewhere({ sql }: Session, storeUrl: string | null): Promise<AnchoredElsewhere[]> {
  const rows = await sql<AnchoredElsewhere[]>`
    select a.store_url as "storeUrl", a.id::float8 as id, a.hash, l.hash as "hashNow"
      from belay.audit_anchors a left join belay.audit_log l on l.id = a.id
     where a.store_url is distinct from ${storeUrl} order by a.id desc, a.store_url`;
  return [...rows];
}

/**
 * What other stores would prove. Whoever names a store trusts the answer to cover the tail, so a newer anchor in another one is
 * a problem; without a store, or where this one's anchors are as new, it is a note.
 */
export function checkElsewhere(
  elsewhere: readonly AnchoredElsewhere[],
  here: { readonly store: string | null; readonly newest: number },
  problems: Problems,
): string[] {
  for (const { storeUrl, id, hash, hashNow } of elsewhere)
    if (hashNow !== hash)
      problems.add(
        hashNow === null ? "row_missing" : "history_differs",
        id,
        `row ${id} is ${hashNow === null ? "gone" : "not the one"} that was anchored in ${storeUrl}`,
      );
  const [newest] = elsewhere;
  if (newest === undefined) return [];
  const { storeUrl, id } = newest;
  if (here.store === null)
    return [`the newest anchor, of row ${id}, is in ${storeUrl}: verify with --store ${storeUrl}`];
  if (id <= here.newest) return [`there are anchors in ${storeUrl} too, up to row ${id}, which were not compared`];
  const short = here.newest === 0 ? `${here.store} holds none` : `the newest in ${here.store} is of row ${here.newest}`;
  problems.add(
    "anchored_elsewhere",
    id,
    `the newest anchor, of row ${id}, is in ${storeUrl}, and ${short}: verify with --store ${storeUrl}, or put the head into this store with \`belay audit anchor\``,
  );
  return [];
}

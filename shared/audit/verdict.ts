import { plural } from "../words.ts";
import type { Anchor, AuditVerification } from "./types.ts";
import type { ChainWalk, Problems } from "./walk.ts";

export interface Findings {
  readonly walk: ChainWalk;
  readonly problems: Problems;
  /** Null: anchors were not compared. */
  readonly store: string | null;
  readonly newest: Anchor | null;
  readonly records: AuditVerification["records"];
  readonly notes: readonly string[];
}

/** What the walk came to. The tail is proved as far as the newest anchor that agrees. */
export function verdictOf({ walk, problems, store, newest, records, notes }: Findings): AuditVerification {
  const agreed = walk.agreed?.id ?? 0;
  const unanchored = Math.max(0, walk.head.id - agreed);
  const more: string[] = [];
  const elsewhere = problems.listed.some(({ kind }) => kind === "anchored_elsewhere");
  if (walk.rows > 0 && store !== null && newest === null && !elsewhere)
    more.push(
      "this store holds no anchor of this log, so a tail that was cut off would not show: run `belay audit anchor`",
    );
  else if (store !== null && agreed > 0 && unanchored > 0)
    more.push(
      `the newest ${plural(unanchored, "row")} ${unanchored === 1 ? "is" : "are"} not anchored yet: run \`belay audit anchor\``,
    );
  return {
    ok: problems.count === 0,
    rows: walk.rows,
    from: walk.from,
    head: walk.head,
    tail: problems.count === 0 && (walk.rows === 0 ? store !== null : agreed > 0) ? "proved" : "not_proved",
    unanchoredRows: unanchored,
    anchors: {
      store,
      compared: walk.witnesses,
      newest: newest === null ? null : { id: newest.id, anchoredAt: newest.anchoredAt, anchoredBy: newest.anchoredBy },
    },
    records,
    problems: problems.listed,
    problemCount: problems.count,
    notes: [...notes, ...more],
  };
}

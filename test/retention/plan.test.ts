import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ArchiveSummary } from "../../shared/archive/list.ts";
import { bucketOf } from "../../shared/archive/retention/buckets.ts";
import { planExpiry } from "../../shared/archive/retention/expiry.ts";
import { planRetention } from "../../shared/archive/retention/plan.ts";
import { parseAge, parsePolicy, type RetentionPolicy } from "../../shared/archive/retention/policy.ts";
import type { DrillVerdict, RetentionFacts } from "../../shared/archive/retention/types.ts";

const now = new Date("2026-11-21T03:00:00Z");
const dayMs = 86_400_000;

function archive(id: string, at: Date, more: Partial<ArchiveSummary> = {}): ArchiveSummary {
  return {
    id,
    purpose: "dump",
    snapshotAt: at.toISOString(),
    database: "shop",
    source: "7/5",
    migration: null,
    createdBy: "anna",
    reason: "nightly",
    tables: 1,
    rows: 1,
    bytes: 10,
    ...more,
  };
}

const summaries = fc
  .array(
    fc.record({
      hoursAgo: fc.oneof(fc.integer({ min: 0, max: 24 * 40 }), fc.integer({ min: 0, max: 24 * 1_500 })),
      purpose: fc.constantFrom("dump", "dump", "dump", "dump", "rollback", "undo"),
      source: fc.constantFrom("7/5", "7/6"),
      drill: fc.constantFrom<DrillVerdict | null>(null, null, "pass", "backup_bad", "environment_mismatch"),
      lock: fc.constantFrom(null, null, null, null, "until", "over", "hold"),
      undoable: fc.boolean(),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .chain((items) => fc.record({ items: fc.constant(items), recordsKnown: fc.boolean() }))
  .map(({ items, recordsKnown }) => {
    const whole = items.map((item, index) =>
      archive(`a${String(index).padStart(2, "0")}`, new Date(now.getTime() - item.hoursAgo * 3_600_000), {
        purpose: item.purpose as ArchiveSummary["purpose"],
        source: item.source,
      }),
    );
    const marked = <T>(value: (item: (typeof items)[number]) => T | null) =>
      new Map(
        items.flatMap((item, index) => (value(item) === null ? [] : [[whole[index]!.id, value(item)!] as const])),
      );
    const lockOf = (lock: string | null) =>
      lock === null
        ? null
        : {
            until: lock === "hold" ? null : new Date(now.getTime() + (lock === "until" ? dayMs : -dayMs)),
            legalHold: lock === "hold",
          };
    const facts: RetentionFacts = {
      survey: { whole, damaged: [], unfinished: [] },
      records: recordsKnown
        ? {
            drills: marked(({ drill }) => drill),
            newestDrill: null,
            undoable: marked(({ purpose, undoable }) => (purpose === "rollback" && undoable ? "20250101_x" : null)),
          }
        : null,
      locked: marked(({ lock }) => lockOf(lock)),
      now,
    };
    return facts;
  });

const count = fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined });
const policies = fc
  .record({
    keepLast: count,
    keepDaily: count,
    keepWeekly: count,
    keepMonthly: count,
    keepYearly: count,
    olderThanMs: fc.option(
      fc.integer({ min: 1, max: 400 }).map((days) => days * dayMs),
      { nil: undefined },
    ),
  })
  .filter((policy) => Object.values(policy).some((value) => value !== undefined));

const removed = (facts: RetentionFacts, policy: RetentionPolicy): Set<string> =>
  new Set(
    planRetention(facts, policy)
      .verdicts.filter(({ action }) => action === "remove")
      .map(({ archive }) => archive.id),
  );

const each = (property: (facts: RetentionFacts, policy: RetentionPolicy) => void) =>
  fc.assert(fc.property(summaries, policies, property), { numRuns: 300 });

const newestFirst = (facts: RetentionFacts, source: string) =>
  facts.survey.whole
    .filter((one) => one.purpose === "dump" && one.source === source)
    .filter(({ id }) => facts.records?.drills.get(id) !== "backup_bad")
    .sort((a, b) => (a.snapshotAt === b.snapshotAt ? (a.id < b.id ? 1 : -1) : a.snapshotAt < b.snapshotAt ? 1 : -1));

describe("whatever the policy, a plan", () => {
  test("gives every archive one verdict with a reason", () =>
    each((facts, policy) => {
      const { verdicts } = planRetention(facts, policy);
      expect(verdicts.map(({ archive }) => archive.id).sort()).toEqual(facts.survey.whole.map(({ id }) => id).sort());
      for (const { reasons } of verdicts) expect(reasons.length).toBeGreaterThan(0);
    }));

  test("never removes the newest dump of a database whose drill passed, nor its newest dump", () =>
    each((facts, policy) => {
      const gone = removed(facts, policy);
      for (const source of ["7/5", "7/6"]) {
        const dumps = newestFirst(facts, source);
        const passed = dumps.find(({ id }) => facts.records?.drills.get(id) === "pass");
        for (const kept of [dumps[0], passed]) if (kept !== undefined) expect(gone.has(kept.id)).toBe(false);
      }
    }));

  test("never removes the archive of a rollback or an undo", () =>
    each((facts, policy) => {
      const gone = removed(facts, policy);
      for (const { id, purpose } of facts.survey.whole) if (purpose !== "dump") expect(gone.has(id)).toBe(false);
    }));

  test("never removes what is locked, and removes nothing else because of it", () =>
    each((facts, policy) => {
      const gone = removed(facts, policy);
      const free = removed({ ...facts, locked: new Map() }, policy);
      for (const [id, { until, legalHold }] of facts.locked)
        if (legalHold || (until !== null && until > now)) expect(gone.has(id)).toBe(false);
      for (const id of gone) expect(free.has(id)).toBe(true);
    }));

  test("never removes what a drill found bad, and counts it for no rule", () =>
    each((facts, policy) => {
      const gone = removed(facts, policy);
      const bad = new Set(
        [...(facts.records?.drills ?? [])].filter(([, verdict]) => verdict === "backup_bad").map(([id]) => id),
      );
      for (const id of bad) expect(gone.has(id)).toBe(false);
      const whole = facts.survey.whole.filter(({ id }) => !bad.has(id));
      expect(removed({ ...facts, survey: { ...facts.survey, whole } }, policy)).toEqual(gone);
    }));

  test("removes nothing of one database because of another", () =>
    each((facts, policy) => {
      const gone = removed(facts, policy);
      for (const source of ["7/5", "7/6"]) {
        const whole = facts.survey.whole.filter((one) => one.source === source);
        const alone = removed({ ...facts, survey: { ...facts.survey, whole } }, policy);
        expect([...gone].filter((id) => whole.some((one) => one.id === id)).sort()).toEqual([...alone].sort());
      }
    }));

  test("keeps no less when it is longer, or has a rule more", () =>
    fc.assert(
      fc.property(summaries, policies, policies, (facts, policy, more) => {
        const longer: Record<string, number> = {};
        for (const [rule, value] of [...Object.entries(policy), ...Object.entries(more)])
          if (value !== undefined) longer[rule] = Math.max(longer[rule] ?? 0, value);
        const gone = removed(facts, policy);
        for (const id of removed(facts, longer)) expect(gone.has(id)).toBe(true);
      }),
      { numRuns: 300 },
    ));

  test("removes nothing more when it is made again after it was carried out", () =>
    each((facts, policy) => {
      const gone = removed(facts, policy);
      const whole = facts.survey.whole.filter(({ id }) => !gone.has(id));
      expect(removed({ ...facts, survey: { ...facts.survey, whole } }, policy).size).toBe(0);
    }));

  test("keeps exactly what its rules name, counted in another way", () =>
    each((facts, policy) => {
      const bare = { ...facts, records: null, locked: new Map() };
      const kept = new Set<string>();
      for (const source of ["7/5", "7/6"]) {
        const dumps = newestFirst(bare, source);
        for (const one of dumps.slice(0, Math.max(1, policy.keepLast ?? 0))) kept.add(one.id);
        const byBucket = (many: number | undefined, bucket: (at: Date) => number) => {
          const newest = new Map<number, string>();
          for (const one of [...dumps].reverse()) newest.set(bucket(new Date(one.snapshotAt)), one.id);
          for (const [, id] of [...newest].sort(([a], [b]) => b - a).slice(0, many ?? 0)) kept.add(id);
        };
        const days = (at: Date) => Math.floor(at.getTime() / dayMs);
        byBucket(policy.keepDaily, days);
        // 1 January 1970 was a Thursday.
        byBucket(policy.keepWeekly, (at) => Math.floor((days(at) + 3) / 7));
        byBucket(policy.keepMonthly, (at) => at.getUTCFullYear() * 12 + at.getUTCMonth());
        byBucket(policy.keepYearly, (at) => at.getUTCFullYear());
        for (const one of dumps)
          if (Date.parse(dumps[0]!.snapshotAt) - Date.parse(one.snapshotAt) < (policy.olderThanMs ?? 0))
            kept.add(one.id);
      }
      const wanted = bare.survey.whole.filter(({ id, purpose }) => purpose === "dump" && !kept.has(id));
      expect([...removed(bare, policy)].sort()).toEqual(wanted.map(({ id }) => id).sort());
    }));
});

describe("by age", () => {
  test("nothing more goes once no new dump comes: they may have failed", () => {
    const whole = Array.from({ length: 60 }, (_, n) => archive(`a${n}`, new Date(now.getTime() - (n + 1) * dayMs)));
    const facts = (at: Date): RetentionFacts => ({
      survey: { whole, damaged: [], unfinished: [] },
      records: null,
      locked: new Map(),
      now: at,
    });
    const gone = removed(facts(now), { olderThanMs: 30 * dayMs });
    expect(gone.size).toBe(30);
    expect(removed(facts(new Date(now.getTime() + 100 * dayMs)), { olderThanMs: 30 * dayMs })).toEqual(gone);
  });
});

describe("nothing at all is removed", () => {
  const many = Array.from({ length: 9 }, (_, n) => archive(`a${n}`, new Date(now.getTime() - n * dayMs)));
  const facts: RetentionFacts = {
    survey: { whole: many, damaged: [], unfinished: [] },
    records: { drills: new Map(), newestDrill: null, undoable: new Map() },
    locked: new Map(),
    now,
  };
  const policy = { keepLast: 1 };
  const drill = (verdict: DrillVerdict): RetentionFacts => ({
    ...facts,
    records: { ...facts.records!, newestDrill: { archiveId: "a0", verdict } },
  });
  const survey = (more: Partial<RetentionFacts["survey"]>) => ({ ...facts, survey: { ...facts.survey, ...more } });

  test.each<[string, RetentionFacts, RegExp]>([
    ["the newest drill found its archive bad", drill("backup_bad"), /newest drill found the archive a0 bad/],
    ["the newest drill came to no result", drill("inconclusive"), /came to no result/],
    [
      "an archive is damaged",
      survey({ damaged: [{ id: "x1", why: "the manifest of the archive x1 is damaged: it is not JSON" }] }),
      /x1 is damaged.*--expire x1/,
    ],
    [
      "the newest dump is not finished",
      survey({ unfinished: ["dump-20261121t040000z-0000000a"] }),
      /dump-20261121t040000z-0000000a is a dump that is not finished/,
    ],
    [
      "an archive says that it is of the future",
      survey({ whole: [...many, archive("later", new Date(now.getTime() + 3 * dayMs))] }),
      /later says that it is of/,
    ],
    [
      "an archive says no date",
      survey({ whole: [...many, { ...archive("odd", now), snapshotAt: "yesterday" }] }),
      /odd says that it is of yesterday/,
    ],
  ])("when %s", (_, spoiled, reason) => {
    expect(removed(facts, policy).size).toBe(8);
    const plan = planRetention(spoiled, policy);
    expect(plan.refusals.length).toBe(1);
    expect(plan.refusals[0]).toMatch(reason);
    expect(plan.verdicts.every(({ action }) => action === "keep")).toBe(true);
  });

  test("but an old half dump, a passed drill, or one that met a missing extension stands in no way", () => {
    expect(removed(survey({ unfinished: ["dump-20251121t020000z-0000000a", "somebody's"] }), policy).size).toBe(8);
    expect(removed(drill("pass"), policy).size).toBe(8);
    expect(removed(drill("environment_mismatch"), policy).size).toBe(8);
  });
});

describe("an explicit expiry", () => {
  const whole = [
    archive("new", now),
    archive("good", new Date(now.getTime() - dayMs)),
    archive("old", new Date(now.getTime() - 2 * dayMs)),
    archive("back", now, { purpose: "rollback" }),
    archive("undone", now, { purpose: "rollback" }),
  ];
  const facts: RetentionFacts = {
    survey: { whole, damaged: [{ id: "broken", why: "?" }], unfinished: ["half"] },
    records: { drills: new Map([["good", "pass"]]), newestDrill: null, undoable: new Map([["back", "20250101_x"]]) },
    locked: new Map([["old", { until: new Date(now.getTime() + dayMs), legalHold: false }]]),
    now,
  };
  const blockers = (id: string, giveUpUndo = false, of = facts) => planExpiry(of, id, { giveUpUndo }).blockers;

  test("takes a dump that another good one covers, a rollback's archive that was undone, and a damaged one", () => {
    for (const id of ["new", "undone", "broken"]) expect(blockers(id)).toEqual([]);
  });

  test("leaves the last dump whose drill passed, and without such a drill the newest", () => {
    expect(blockers("good")).toEqual(["the newest of shop whose drill passed"]);
    expect(blockers("new", false, { ...facts, records: null })[0]).toMatch(/newest of shop, and no drill/);
    expect(blockers("good", false, { ...facts, records: null })).toEqual([]);
  });

  test("leaves what is locked", () => {
    expect(blockers("old")).toEqual(["locked until 2026-11-22"]);
  });

  test("leaves a rollback's archive from which it can still be undone, until that is given up by name", () => {
    expect(blockers("back")[0]).toMatch(/rollback of 20250101_x can still be undone/);
    expect(blockers("back", true)).toEqual([]);
  });

  test("knows no archive of that name, and says where half ones are", () => {
    expect(() => blockers("nix")).toThrow(expect.objectContaining({ code: "unknown_archive" }));
    expect(() => blockers("half")).toThrow(expect.objectContaining({ hint: expect.stringContaining("--unfinished") }));
  });
});

describe("buckets, ages and policies", () => {
  test("a week begins on Monday in UTC, across a year's end too", () => {
    expect(bucketOf("week", new Date("2026-01-01T00:00:00Z"))).toBe("week of 2025-12-29");
    expect(bucketOf("week", new Date("2026-01-04T23:59:59Z"))).toBe("week of 2025-12-29");
    expect(bucketOf("week", new Date("2026-01-05T00:00:00Z"))).toBe("week of 2026-01-05");
    expect(bucketOf("day", new Date("2026-03-29T01:30:00+02:00"))).toBe("2026-03-28");
    expect(bucketOf("month", new Date("2024-02-29T12:00:00Z"))).toBe("2024-02");
    expect(bucketOf("year", new Date("2024-12-31T23:30:00-01:00"))).toBe("2025");
  });

  test("an age is a number with h, d, w or y", () => {
    expect([parseAge("24h"), parseAge("30d"), parseAge("8w"), parseAge("2y")]).toEqual(
      [1, 30, 56, 730].map((days) => days * dayMs),
    );
    for (const wrong of ["", "30", "d", "0d", "-3d", "1.5d", "30 d", "30D", "1m"])
      expect(() => parseAge(wrong)).toThrow(expect.objectContaining({ code: "usage" }));
  });

  test("a policy without a rule, with a wrong or an unknown one is refused", () => {
    for (const wrong of [{}, { keepLast: undefined }, { keepLast: 0 }, { keepLast: 1.5 }, { keepHourly: 3 }])
      expect(() => parsePolicy(wrong)).toThrow(expect.objectContaining({ code: "usage" }));
  });
});

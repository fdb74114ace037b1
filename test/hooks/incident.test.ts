import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildIncident } from "../../shared/rollback/incident/build.ts";
import { incidentMarkdown } from "../../shared/rollback/incident/markdown.ts";
import { code, plain } from "../../shared/rollback/incident/markdown-text.ts";
import type { IncidentRecords } from "../../shared/rollback/incident/records.ts";
import { incidentSchema } from "../../shared/rollback/incident/types.ts";

const now = new Date("2026-11-21T06:00:10.000Z");

/** A rollback that lost two tables. */
function records(over: Partial<IncidentRecords> = {}): IncidentRecords {
  return {
    rollbackId: "0b6c9d3e-0000-4000-8000-000000000000",
    kind: "rollback",
    outcome: "committed",
    migration: "2_b",
    planned: ["2_b", "1_a"],
    undoes: null,
    actor: "anna",
    reason: "wrong release",
    startedAt: new Date("2026-11-21T06:00:00.000Z"),
    finishedAt: new Date("2026-11-21T06:00:02.000Z"),
    planHash: "f".repeat(64),
    plan: {
      hash: "f".repeat(64),
      policyDigest: "e".repeat(64),
      risk: "HIGH",
      riskReasons: ["400 rows of 2 tables go"],
      gates: [
        { name: "status", state: "passed", requirement: "always", evidence: "applied", waiver: null },
        {
          name: "approved",
          state: "waived",
          requirement: "required",
          evidence: "nobody",
          waiver: { by: "anna", reason: "alone at night" },
        },
      ],
      checklist: [],
    },
    report: {
      rollbackId: "0b6c9d3e-0000-4000-8000-000000000000",
      kind: "rollback",
      migration: "2_b",
      migrations: ["2_b", "1_a"],
      outcome: "committed",
      archiveId: "rollback-1",
      actor: "anna",
      reason: "wrong release",
      startedAt: "2026-11-21T06:00:00.000Z",
      finishedAt: "2026-11-21T06:00:02.000Z",
      attempts: 1,
      criticalSectionMs: 40,
      tables: [
        { schema: "public", table: "a", rows: 300, digest: "1" },
        { schema: "public", table: "b", rows: 100, digest: "2" },
      ],
      columns: [],
      objects: [{ key: "TABLE public a", change: "destroyed" }],
      sequences: [],
      endState: "as_before",
      notes: ["1_a is pending again"],
    },
    error: null,
    events: [{ at: "2026-11-21T06:00:01.000Z", event: "locked", state: "done", evidence: "" }],
    around: null,
    archive: {
      id: "rollback-1",
      store: "s3://bucket/x",
      manifestSha256: "d".repeat(64),
      verifiedAt: "2026-11-21T06:00:01.500Z",
      rows: 400,
      bytes: 9_000,
    },
    agreements: [],
    undone: null,
    database: { name: "app", systemIdentifier: "1", serverVersion: "17.1" },
    ...over,
  };
}

const markdownOf = (over: Partial<IncidentRecords> = {}) => incidentMarkdown(buildIncident(records(over), now));

describe("an incident report", () => {
  it("says what, why, who, what went, where it is, who let it pass and how to undo", () => {
    const incident = buildIncident(records(), now);
    expect(incidentSchema.parse(incident)).toEqual(incident);
    expect(incident.summary).toBe(
      "The rollback of 2_b, 1_a was committed: 400 rows of 2 tables went, all in a verified archive.",
    );
    const markdown = incidentMarkdown(incident);
    for (const words of [
      "# Rollback of 2_b, 1_a",
      "| Who | anna |",
      "| Why | wrong release |",
      "| table | `public.a` | 300 |",
      "`rollback-1` in `s3://bucket/x`",
      `manifest sha256 \`${"d".repeat(64)}\``,
      "| approved | waived | required | nobody; waived by anna: alone at night |",
      'belay undo 0b6c9d3e-0000-4000-8000-000000000000 --reason "..."',
      "Fetch the folder archives/rollback-1/",
      "- 1_a is pending again",
    ])
      expect(markdown).toContain(words);
  });

  it("counts the gates that it shows, and tells what is kept in the database", () => {
    const { plan, report } = records();
    const off = { name: "team_notified", state: "failed", requirement: "off", evidence: "nobody", waiver: null };
    const as = { oid: 7, schema: "public", name: "a", keptIn: "belay_kept_2_1", as: "a" };
    const preserved = {
      mode: "quarantine",
      schemas: ["belay_kept_2_1"],
      until: "2026-12-21",
      kept: [{ kind: "table", ...as }],
    };
    const markdown = markdownOf({
      plan: { ...plan!, gates: [...plan!.gates, off] } as IncidentRecords["plan"],
      report: { ...report!, preserved } as IncidentRecords["report"],
    });
    expect(markdown).toContain("<summary>1 passed, 1 waived</summary>");
    expect(markdown).toContain("- public.a: moved, with all rows, to belay_kept_2_1, until 2026-12-21 at the least");
  });

  it("of a failure says that nothing changed, and offers no undo", () => {
    const failed = {
      outcome: "failed" as const,
      report: null,
      archive: null,
      error: { code: "sql_failed", message: "no", hint: "Mend the rollback SQL." },
    };
    const incident = buildIncident(records(failed), now);
    expect(incident).toMatchObject({
      loss: { tables: [] },
      undo: { command: null, byHand: [] },
      migrations: ["2_b", "1_a"],
    });
    expect(incident.timeline.at(-1)).toMatchObject({ event: "failed", state: "failed", evidence: "sql_failed" });
    expect(markdownOf(failed)).toContain("| What to do | Mend the rollback SQL. |");
    expect(markdownOf(failed)).toContain("Nothing: the database is as it was before.");
  });

  it("of a process that was killed says that the end is not on record, or what a later run found", () => {
    const begun = { report: null, archive: null, finishedAt: null, outcome: "intended" as const };
    expect(buildIncident(records(begun), now).summary).toContain("its end is not on record");
    const committed = buildIncident(records({ events: [] }), now);
    expect(committed.timeline.map(({ event }) => event)).toEqual(["intent", "committed"]);
  });

  it("of one that was undone says by whom, and that there is nothing to undo", () => {
    const undone = { rollbackId: "1", actor: "ben", reason: "it was right", at: "2026-11-21T07:00:00.000Z" };
    const incident = buildIncident(records({ outcome: "undone", undone }), now);
    expect(incident.notes).toEqual([]);
    expect(incident).toMatchObject({
      summary: expect.stringContaining("undone by ben (it was right)"),
      undo: { command: null },
    });
    expect(incident.timeline.at(-1)).toMatchObject({ event: "undone", at: undone.at });
  });

  it("keeps its form whatever names and reasons hold", () => {
    const lines = markdownOf().split("\n").length;
    const hostile = fc.oneof(
      fc.string({ unit: "binary", minLength: 1 }),
      fc.stringMatching(/^[|`*_<>\n\r#\\[\]()!~ \u202e-]{1,20}$/),
      fc.constantFrom(
        "a|b",
        "x\n# Heading",
        "`code`",
        "``` \n",
        "<script>alert(1)</script>",
        "[x](javascript:1)",
        "![x](http://a)",
        "@everyone",
        "https://a.example/?key=1",
      ),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        const report = {
          ...records().report!,
          tables: [{ schema: text, table: text, rows: 1, digest: "1" }, ...records().report!.tables.slice(1)],
          notes: [text],
        };
        const markdown = markdownOf({
          actor: text,
          reason: text,
          report,
          database: { ...records().database, name: text },
        });
        expect(markdown.split("\n")).toHaveLength(lines);
        expect(markdown).not.toMatch(/[\u202a-\u202e]|\r/);
        // Inside of code a tag is text.
        expect(markdown.split("\n").filter((line) => !line.includes("`") && /<script/.test(line))).toEqual([]);
        // Cells: as many unescaped pipes in each row as in its table's head.
        for (const row of markdown.split("\n").filter((line) => line.startsWith("| table |")))
          expect(row.match(/(?<!\\)(?:\\\\)*\|/g)).toHaveLength(4);
      }),
      { numRuns: 200 },
    );
  });

  it("shows text as it is: plain text has no markup, code has its own fence", () => {
    expect(plain("snake_case *bold* <b> [a](b) `c`")).toBe("snake_case \\*bold\\* &lt;b&gt; \\[a\\](b) \\`c\\`");
    expect(plain("- item")).toBe("\\- item");
    expect(plain("1. item")).toBe("1\\. item");
    expect(code("a``b")).toBe("```a``b```");
    expect(code("`a")).toBe("`` `a ``");
  });
});

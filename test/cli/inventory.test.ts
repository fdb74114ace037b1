import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inventoryMarkdown, withInventory } from "../../shared/migrations/inventory/markdown.ts";
import { temporaryFolder } from "../support/belay.ts";
import { serverUrl } from "../support/postgres.ts";
import { belay, openShop, section } from "./support.ts";

const files: Readonly<Record<string, string>> = {
  "1_a.sql": section("-- Customers | who buy\ncreate table a (id int, note text);", "drop table a;"),
  "2_add_status.sql": section(
    "alter table a add column status text; delete from a;",
    "alter table a drop column status;",
  ),
  "3_wrong.sql": section("create view v as select 1 as one;", "drop view if not exists v;"),
  "4_none.sql": "create index a_id on a (id);",
};

function checkout(): string {
  const directory = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, "supabase/migrations", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return directory;
}

describe("belay inventory", () => {
  it("writes the table from a folder alone: purpose, drops, data loss, risk", async () => {
    const { code, out } = await belay(["inventory"], {}, { cwd: checkout() });
    expect(code).toBe(0);
    const cells = out.split("\n").filter((line) => line.startsWith("| `"));
    expect(cells).toEqual([
      "| `1_a` | Customers \\| who buy | table a | all rows of a | HIGH | not proved |  |",
      "| `2_add_status` | add status | column a.status | the values of a.status; not brought back: line 1 of the migration deletes rows, which do not come back: delete from a | HIGH | not proved |  |",
      expect.stringMatching(
        /^\| `3_wrong` \| wrong \| does not parse: .*3_wrong\.sql:3.* \| {2}\| {2}\| not proved \| {2}\|$/,
      ),
      "| `4_none` | none | **no rollback SQL** |  |  |  |  |",
    ]);
    expect(out).toMatch(/4 migrations, 1 without rollback SQL, 0 proved exact\./);
  });

  it("keeps a document around its table, and tells when the file is out of date", async () => {
    const cwd = checkout();
    const at = join(cwd, "docs/rollbacks.md");
    expect((await belay(["inventory", "--output", "docs/rollbacks.md", "--check"], {}, { cwd })).code).toBe(1);
    expect((await belay(["inventory", "--output", "docs/rollbacks.md"], {}, { cwd })).code).toBe(0);
    writeFileSync(at, `Ours.\n\n${readFileSync(at, "utf8")}\nThe end.\n`);
    expect((await belay(["inventory", "--output", "docs/rollbacks.md", "--check"], {}, { cwd })).code).toBe(0);
    writeFileSync(join(cwd, "supabase/migrations/5_b.sql"), section("create table b (id int);", "drop table b;"));
    const old = readFileSync(at, "utf8");
    const ran = await belay(["inventory", "--output", "docs/rollbacks.md", "--check"], {}, { cwd });
    expect(ran).toMatchObject({ code: 1, out: expect.stringContaining("+ | `5_b` |") });
    expect(readFileSync(at, "utf8")).toBe(old);
    await belay(["inventory", "--output", "docs/rollbacks.md"], {}, { cwd });
    expect(readFileSync(at, "utf8")).toMatch(/^Ours\.\n\n# Rollbacks[\s\S]*`5_b`[\s\S]*\nThe end\.\n$/);
    writeFileSync(at, "Something else.\n");
    expect((await belay(["inventory", "--output", "docs/rollbacks.md"], {}, { cwd })).code).toBe(2);
    expect(readFileSync(at, "utf8")).toBe("Something else.\n");
  });

  it("takes proofs of the very SQL from prove's file, and says where the SQL changed since", async () => {
    const cwd = checkout();
    const scratch = { BELAY_SCRATCH_URL: await serverUrl() };
    await belay(["prove", "--cache", "p.jsonl", "--no-fix", "--fail-on", "none"], scratch, { cwd });
    writeFileSync(
      join(cwd, "supabase/migrations/2_add_status.sql"),
      files["2_add_status.sql"]!.replace("drop column", "drop"),
    );
    const { out } = await belay(["inventory", "--proofs", "p.jsonl", "--json"], {}, { cwd });
    const rows: { migration: string; proof: unknown }[] = JSON.parse(out).rollbacks;
    expect(rows.map(({ proof }) => proof)).toEqual([
      { verdict: "exact", at: expect.any(String), loses: [] },
      "stale",
      { verdict: "fails", at: expect.any(String), loses: [] },
      { verdict: "missing", at: expect.any(String), loses: [] },
    ]);
  });

  it("shows what is applied, where there is a database", async () => {
    const shop = await openShop({ "1_a.sql": files["1_a.sql"]! });
    shop.write("2_add_status.sql", files["2_add_status.sql"]!);
    const { out } = await shop.belay("inventory");
    expect(out).toMatch(/\| `1_a` \| applied \|/);
    expect(out).toMatch(/\| `2_add_status` \| pending \|/);
    await shop.drop();
  });

  it("lets no text of a migration out of its cell, and finds its own table again", () => {
    const text = fc.array(fc.constantFrom("|", "`", "\n", "<!--", "-->", "\\", "*", "_", "a", " ", "](", "<b>"), {
      maxLength: 10,
    });
    fc.assert(
      fc.property(text, text, (one, other) => {
        const words = {
          purpose: one.join(""),
          drops: [other.join("")],
          destroys: [],
          notBroughtBack: [],
          riskReasons: [],
        };
        const row = {
          migration: `1_${other.join("")}`,
          version: "1",
          rollbackFile: "x",
          reversesToo: [],
          risk: null,
          problem: null,
          proof: null,
          status: null,
        };
        const markdown = inventoryMarkdown([{ ...row, ...words }]);
        const lines = markdown.split("\n").filter((line) => line.startsWith("|"));
        expect(lines).toHaveLength(3);
        expect(lines[2]!.replace(/\\./g, "").split("|")).toHaveLength(9);
        expect(lines[2]!.replace(/\\./g, "")).not.toMatch(/<|\]\(/);
        expect(withInventory(withInventory(null, markdown), markdown)).toBe(withInventory(null, markdown));
      }),
    );
  });
});

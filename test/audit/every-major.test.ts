import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anchorAudit } from "../../shared/audit/anchor.ts";
import { jsonbText } from "../../shared/audit/jsonb-text.ts";
import { rowTexts } from "../../shared/audit/read-rows.ts";
import { rowHash } from "../../shared/audit/row-hash.ts";
import { verifyAuditLog } from "../../shared/audit/verify.ts";
import { edit, rows } from "./any-edit.ts";
import { anyText, json } from "./any-json.ts";
import { openWorld, type World } from "./support.ts";

describe.each([15, 17, 18] as const)("the audit log on Postgres %i", (major) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ major });
    for (let n = 1; n <= rows; n += 1) {
      await world.append(`s${n}`);
      if (n % 4 === 0) await anchorAudit(world.belay, world.session);
    }
    await world.session.run("create table kept as select * from belay.audit_log");
  });
  afterAll(() => world?.close());

  it("verifies when nobody touched it", async () => {
    expect(await verifyAuditLog(world.belay)).toMatchObject({
      ok: true,
      rows,
      from: 1,
      tail: "proved",
      unanchoredRows: 0,
      anchors: { compared: 3, newest: { id: rows, anchoredBy: "alice" } },
      notes: [],
    });
  });

  it("does not verify after any edit of a superuser", async () => {
    await fc.assert(
      fc.asyncProperty(edit, async ({ what, sql }) => {
        await world.tamper(sql);
        const result = await verifyAuditLog(world.belay);
        await world.tamper("delete from belay.audit_log; insert into belay.audit_log select * from kept");
        expect(result.ok, what).toBe(false);
        expect(result.problems.map(({ kind }) => kind)).not.toContain("unprotected");
        expect(result.tail).toBe("not_proved");
      }),
      { numRuns: 20 },
    );
    expect((await verifyAuditLog(world.belay)).ok).toBe(true);
  });

  it("has the hash that is computed here, for any JSON and any text", async () => {
    const { sql } = world.session;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(anyText, anyText, json), { minLength: 1, maxLength: 30 }), async (rows) => {
        const [before] = await sql`select coalesce(max(id), 0)::float8 as id from belay.audit_log`;
        for (const [actor, subject, details] of rows)
          await sql`select belay.append_audit(${actor}, 'test', ${subject}, ${details}::text::jsonb)`;
        const all = [];
        for await (const batch of rowTexts(world.session, before!.id + 1, null)) all.push(...batch);
        expect(all).toHaveLength(rows.length);
        for (const [index, row] of all.entries()) {
          expect(rowHash({ ...row, id: String(row.id), details: rows[index]![2] })).toBe(row.hash);
          // What was sent is another text of the same value.
          expect(jsonbText(rows[index]![2])).toBe(row.details);
        }
      }),
      { numRuns: 12 },
    );
  });
});

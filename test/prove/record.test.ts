import { describe, expect, it } from "vitest";
import { recordProofs } from "../../shared/migrations/prove/record.ts";
import { syncMigrations } from "../../shared/migrations/sync/sync.ts";
import { createWorld } from "../migrations/support.ts";
import { filesOf, proofsOf } from "./support.ts";

const files = filesOf({
  "1_a": ["create table a (id int)", "drop table a"],
  "2_b": ["create table b (id int)", "drop table a"],
  "3_c": ["create table c (id int)", "drop table c"],
});

describe("proofs on record", () => {
  it("are stored once with the checksums of both texts, and bring the snapshots that are missing", async () => {
    const world = await createWorld(files);
    try {
      await world.apply("1_a.up.sql", "2_b.up.sql");
      const folder = await world.folder();
      await syncMigrations(world.belay, folder, { appliedTo: "2", replay: false });
      await world.session.run("truncate belay.snapshots cascade");
      const states = new Map();
      const proofs = Object.values(
        await proofsOf(folder, {
          onStates: ({ name }, before, after) => states.set(name, { before: before.catalog, after: after.catalog }),
        }),
      );
      const input = { folder, proofs, server: "17", states };
      expect(await recordProofs(world.belay, input)).toEqual({ proofs: 3, snapshots: 2, note: null });
      const rows = await world.session.sql`
        select p.migration_name as name, verdict, p.checksum = h.checksum as same,
          rollback_checksum = encode(sha256(convert_to(h.rollback_sql, 'UTF8')), 'hex') as rollback_same
        from belay.proofs p left join belay.migration_history h using (migration_name) order by 1`;
      expect(rows.map((row) => ({ ...row }))).toEqual([
        { name: "1_a", verdict: "exact", same: true, rollback_same: true },
        { name: "2_b", verdict: "differs", same: true, rollback_same: true },
        { name: "3_c", verdict: "exact", same: null, rollback_same: null },
      ]);
      expect(await recordProofs(world.belay, input)).toEqual({ proofs: 0, snapshots: 0, note: null });
    } finally {
      await world.end();
    }
  });

  it("bring no snapshots where the database is not what the migrations make", async () => {
    const world = await createWorld(files, { sql: "create table by_hand (id int)" });
    try {
      await world.apply("1_a.up.sql");
      const folder = await world.folder();
      await syncMigrations(world.belay, folder, { appliedTo: "1", replay: false });
      await world.session.run("truncate belay.snapshots cascade");
      const states = new Map();
      const proofs = Object.values(
        await proofsOf(folder, {
          onStates: ({ name }, before, after) => states.set(name, { before: before.catalog, after: after.catalog }),
        }),
      );
      const recorded = await recordProofs(world.belay, { folder, proofs, server: "17", states });
      expect(recorded).toMatchObject({ proofs: 3, snapshots: 0 });
      expect(recorded.note).toContain("TABLE public by_hand: only in this database");
      const unseen = await recordProofs(world.belay, { folder, proofs, server: "17", states: new Map() });
      expect(unseen.note).toContain("1_a was not run this time");
    } finally {
      await world.end();
    }
  });
});

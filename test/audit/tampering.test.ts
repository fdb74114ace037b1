import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anchorAudit } from "../../shared/audit/anchor.ts";
import { verifyAuditLog } from "../../shared/audit/verify.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { openWorld, rehashFrom, type World } from "./support.ts";

describe("what audit verify says", () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
    await world.append("a", "b", "c");
    await anchorAudit(world.belay, world.session);
    await world.append("d", "e");
    await anchorAudit(world.belay, world.session);
    await world.session.run("create table kept as select * from belay.audit_log");
  });
  afterAll(() => world?.close());

  const found = async (sql: string, options = {}) => {
    await world.tamper(sql);
    const result = await verifyAuditLog(world.belay, options);
    await world.tamper("delete from belay.audit_log; insert into belay.audit_log select * from kept");
    return result.problems.map(({ kind, id, message }) => [kind, id, message]);
  };

  it("of a changed row, its number", async () => {
    expect(await found("update belay.audit_log set actor = 'eve' where id = 2")).toEqual([
      ["row_changed", 2, "row 2 was changed"],
    ]);
  });

  it("of missing rows, which", async () => {
    expect(await found("delete from belay.audit_log where id in (1, 2)")).toEqual([
      ["row_missing", 1, "rows 1 to 2 are missing"],
    ]);
  });

  it("of a cut tail, what it may be", async () => {
    expect(await found("delete from belay.audit_log where id > 3")).toEqual([
      [
        "tail_cut",
        4,
        expect.stringMatching(
          /^the log ends at row 3, but row 5 was anchored at .* by alice: rows were cut off, or the database was restored/,
        ),
      ],
    ]);
  });

  it("of a rewritten history, after which row", async () => {
    expect(await found(`update belay.audit_log set actor = 'eve' where id = 4; ${rehashFrom(4)}`)).toEqual([
      ["history_differs", 5, expect.stringContaining("rows after 3 were rewritten, or the database was restored")],
    ]);
  });

  it("of a row with another hash than somebody noted", async () => {
    const [row] = await world.session.sql`select hash from belay.audit_log where id = 4`;
    const expected = { expect: { id: 4, hash: row!.hash as string } };
    expect((await verifyAuditLog(world.belay, expected)).ok).toBe(true);
    expect(
      await found(`update belay.audit_log set actor = 'eve' where id = 4; ${rehashFrom(4)}`, expected),
    ).toContainEqual(["not_as_expected", 4, "row 4 does not have the hash that was expected"]);
    expect(await found("delete from belay.audit_log where id > 3", expected)).toContainEqual([
      "not_as_expected",
      4,
      "row 4, which was expected, is not there",
    ]);
  });

  it("of triggers that are off", async () => {
    await world.session.run("alter table belay.audit_log disable trigger append_only");
    expect((await verifyAuditLog(world.belay)).problems).toMatchObject([{ kind: "unprotected" }]);
    await world.session.run("alter table belay.audit_log enable always trigger append_only");
  });

  it("to a role that may not see the rows, that it may not", async () => {
    const { name, url } = world.database;
    await world.session.run(`create role reader_${name} login password 'x'; grant usage on schema belay to reader_${name};
      grant select on all tables in schema belay to reader_${name}`);
    try {
      const place = new URL(url);
      place.username = `reader_${name}`;
      place.password = "x";
      const belay = { ...world.belay, openSession: (options: object) => openSession(place.href, options) };
      await expect(verifyAuditLog(belay as never)).rejects.toMatchObject({ code: "row_security" });
    } finally {
      await world.session.run(`drop owned by reader_${name}; drop role reader_${name}`);
    }
  });
});

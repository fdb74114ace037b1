import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { once } from "../../shared/archive/digesting.ts";
import { anchorAudit } from "../../shared/audit/anchor.ts";
import { continueAfterRestore } from "../../shared/audit/continue.ts";
import { seal } from "../../shared/audit/sealed.ts";
import type { Receipt } from "../../shared/audit/types.ts";
import { verifyAuditLog } from "../../shared/audit/verify.ts";
import { appendAudit } from "../../shared/audit.ts";
import { BelayError } from "../../shared/errors.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { openStore } from "../../shared/store/open.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { runSql, serverUrl } from "../support/postgres.ts";
import { testBucket } from "../support/s3.ts";
import { openWorld, rehashFrom, renewed, type World } from "./support.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
beforeEach(async () => {
  world = await renewed(world);
});
afterAll(() => world?.close());

const anchor = () => anchorAudit(world.belay, world.session);
const kinds = async () => (await verifyAuditLog(world.belay)).problems.map(({ kind, id }) => [kind, id]);

async function keys(store: ObjectStore = world.store): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list("audit/")) found.push(key);
  return found;
}

async function textOf(key: string): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of world.store.read(key)) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

async function replace(key: string, text: string): Promise<void> {
  await world.store.delete(key);
  await world.store.write(key, once(Buffer.from(text)));
}

/** Anchors after rows 1, 2, 3... */
async function anchored(count: number): Promise<string[]> {
  for (let n = 1; n <= count; n += 1) {
    await world.append(`s${n}`);
    expect(await anchor()).toEqual({ anchored: true, note: null });
  }
  return keys();
}

describe("an anchor", () => {
  it("is one small object that names who, when, the row, its hash and the anchor before it", async () => {
    const [first, second] = await anchored(2);
    expect(second).toMatch(/^audit\/\d+-\d+\/0001\/00000000000000000002\.json$/);
    const { document } = JSON.parse(await textOf(second!));
    expect(document).toMatchObject({
      format: "belay-anchor/1",
      id: 2,
      rows: 2,
      anchoredBy: "alice",
      source: { database: world.database.name },
      previous: { id: 1, key: first },
    });
    expect((await textOf(second!)).length).toBeLessThan(1_000);
  });

  it("is not written again while the head is the same, and nothing is asked of the store", async () => {
    await anchored(1);
    const deaf = { ...world.belay, store: { ...world.store, write: () => Promise.reject(new Error("asked")) } };
    expect(await anchorAudit(deaf, world.session)).toEqual({ anchored: true, note: null });
    expect(await keys()).toHaveLength(1);
  });

  it("is none of an empty log", async () => {
    expect(await anchor()).toEqual({ anchored: false, note: null });
    expect(await verifyAuditLog(world.belay)).toMatchObject({ ok: true, rows: 0 });
  });

  it("that was written by an attempt which died before it noted so is taken for it", async () => {
    await anchored(1);
    await world.session.run("delete from belay.audit_anchors");
    expect(await anchor()).toEqual({ anchored: true, note: null });
    expect(await keys()).toHaveLength(1);
  });

  it("of a database that forgot its anchors names the newest in the store", async () => {
    await anchored(2);
    await world.session.run("delete from belay.audit_anchors");
    const all = await anchored(1);
    expect(JSON.parse(await textOf(all[2]!)).document.previous).toMatchObject({ id: 2, key: all[1] });
    expect(await kinds()).toEqual([]);
  });

  it("leaves an open transaction alone", async () => {
    await world.append("a");
    await world.session.run("begin");
    await world.append("b");
    expect(await anchor()).toMatchObject({ anchored: false, note: expect.stringContaining("transaction") });
    await world.session.run("rollback");
    expect(await verifyAuditLog(world.belay)).toMatchObject({ ok: true, rows: 1 });
  });

  it("that the store refuses or never takes is a note, in bounded time, and the session goes on", async () => {
    await world.append("a");
    const failing = (write: ObjectStore["write"]) => ({ ...world.belay, store: { ...world.store, write } });
    const dead = failing(() => Promise.reject(new BelayError("store_unreachable", "s3://x does not answer")));
    expect(await anchorAudit(dead, world.session)).toEqual({
      anchored: false,
      note: "the audit log's head is not anchored: s3://x does not answer",
    });
    const started = performance.now();
    const silent = await anchorAudit(
      failing(() => new Promise(() => {})),
      world.session,
      300,
    );
    expect(silent).toMatchObject({ anchored: false, note: expect.stringContaining("no answer for 300 ms") });
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(await anchor()).toEqual({ anchored: true, note: null });
  });

  it("is written once when many ask, and never of rows that are not committed", async () => {
    const writers = await Promise.all(Array.from({ length: 4 }, () => openSession(world.database.url)));
    await Promise.all(
      writers.map(async (session, writer) => {
        for (let n = 0; n < 5; n += 1) {
          await session.run("begin");
          await appendAudit(session, { actor: "w", action: "test", subject: `${writer}/${n}` });
          await session.run(n % 3 === 0 ? "rollback" : "commit");
          expect((await anchorAudit(world.belay, session)).note).toBeNull();
        }
      }),
    );
    await Promise.all(writers.map((session) => session.close()));
    expect(await verifyAuditLog(world.belay)).toMatchObject({ ok: true, rows: 12, unanchoredRows: 0, problems: [] });
  });

  it("is kept in S3 too, and never overwritten", async () => {
    const { url, credentials } = testBucket();
    const s3 = { ...world.belay, store: openStore(url, credentials) };
    await world.append("a");
    expect(await anchorAudit(s3, world.session)).toEqual({ anchored: true, note: null });
    await world.tamper(`update belay.audit_log set actor = 'eve'; ${rehashFrom(1)}; delete from belay.audit_anchors`);
    expect((await anchorAudit(s3, world.session)).note).toMatch(/row 1 was anchored otherwise at/);
    expect((await verifyAuditLog(s3)).problems.map(({ kind }) => kind)).toEqual(["history_differs"]);
  });
});

describe("what is wrong with anchors", () => {
  it("one that is gone from the middle is named by the next one", async () => {
    const all = await anchored(3);
    await world.store.delete(all[1]!);
    expect(await kinds()).toEqual([["anchor_missing", 2]]);
  });

  it("the newest one that is gone is named by the database", async () => {
    const all = await anchored(3);
    await world.store.delete(all[2]!);
    expect(await kinds()).toEqual([["anchor_missing", 3]]);
  });

  it("all that are gone are missed as well", async () => {
    for (const key of await anchored(2)) await world.store.delete(key);
    expect(await kinds()).toEqual([["anchor_missing", 2]]);
  });

  it("one that was changed no longer fits the one behind it", async () => {
    const all = await anchored(3);
    await replace(all[1]!, (await textOf(all[1]!)).replace("alice", "mallory"));
    expect(await kinds()).toEqual([["anchor_changed", 2]]);
  });

  it("one that lies of a hash is found by the chain", async () => {
    const all = await anchored(2);
    await replace(all[1]!, (await textOf(all[1]!)).replace(/"hash": "[0-9a-f]{4}/, '"hash": "0000'));
    expect((await kinds()).map(([kind]) => kind)).toContain("history_differs");
  });

  it.each(["", "{", "null", '{"document":{},"signature":null}'])(
    "one that does not read (%s) is named",
    async (text) => {
      const all = await anchored(2);
      await replace(all[1]!, text);
      expect(await verifyAuditLog(world.belay)).toMatchObject({
        ok: false,
        problems: [{ kind: "anchor_changed", message: expect.stringContaining(all[1]!) }],
      });
    },
  );

  it("a tail that is cut together with its anchors is found as long as one of them is left", async () => {
    const all = await anchored(4);
    for (const key of all.slice(2, 3)) await world.store.delete(key);
    await world.tamper("delete from belay.audit_log where id > 2; delete from belay.audit_anchors");
    expect((await kinds()).map(([kind]) => kind)).toContain("tail_cut");
  });

  it("a store that does not hold the newest anchor does not pass: the one that holds it is named", async () => {
    await anchored(1);
    const other = { ...world.belay, store: createFolderStore(temporaryFolder()) };
    expect(await verifyAuditLog(other)).toMatchObject({
      ok: false,
      tail: "not_proved",
      problems: [{ kind: "anchored_elsewhere", id: 1, message: expect.stringContaining(world.store.url) }],
    });
    await world.append("b");
    expect(await anchorAudit(other, world.session)).toEqual({ anchored: true, note: null });
    expect(await verifyAuditLog(other)).toMatchObject({
      ok: true,
      tail: "proved",
      notes: [expect.stringContaining(`${world.store.url} too, up to row 1`)],
    });
    expect(await kinds()).toEqual([["anchored_elsewhere", 2]]);
  });

  it("a row that was anchored in another store is missed without asking that store", async () => {
    await anchored(2);
    await world.tamper("delete from belay.audit_log where id = 2");
    const other = { ...world.belay, store: createFolderStore(temporaryFolder()) };
    const { problems } = await verifyAuditLog(other);
    expect(problems).toContainEqual({
      kind: "row_missing",
      id: 2,
      message: `row 2 is gone that was anchored in ${world.store.url}`,
    });
  });

  it("without a store the chain is verified, and the tail is not proved", async () => {
    await anchored(2);
    const { store: _, ...rest } = world.belay;
    const without = Object.defineProperty({ ...rest }, "store", {
      get() {
        throw new BelayError("usage", "no store is set");
      },
    });
    expect(await verifyAuditLog(without as never)).toMatchObject({
      ok: true,
      tail: "not_proved",
      anchors: { store: null, compared: 0 },
      notes: [
        "no store is set: a tail that was cut off would not show",
        `the newest anchor, of row 2, is in ${world.store.url}: verify with --store ${world.store.url}`,
      ],
    });
  });

  it("with a store that does not answer the verification fails, and still says what it found", async () => {
    await anchored(2);
    await world.tamper("update belay.audit_log set actor = 'eve' where id = 1");
    const away = new BelayError("store_unreachable", "s3://x does not answer");
    const failing = { ...world.store, listFolders: () => fails(away) };
    expect((await verifyAuditLog({ ...world.belay, store: failing })).problems).toMatchObject([
      { kind: "anchors_unreadable", message: expect.stringContaining("s3://x does not answer") },
      { kind: "row_changed", id: 1 },
    ]);
    const half = { ...world.store, read: () => fails(away) };
    expect((await verifyAuditLog({ ...world.belay, store: half })).ok).toBe(false);
  });
});

describe("another database with the same rows", () => {
  it("of the same server, made from a copy, has anchors of its own that name those of the first", async () => {
    const shared = world;
    world = await openWorld();
    const all = await anchored(2);
    const server = await serverUrl();
    const name = `${world.database.name}_copy`;
    await world.session.close();
    await runSql(server, `create database ${name} template ${world.database.name}`);
    const url = new URL(server);
    url.pathname = name;
    const session = await openSession(url.href);
    try {
      const copy = testBelay({ database: url.href, store: world.store, actor: "bob" });
      expect(await verifyAuditLog(copy)).toMatchObject({ ok: true, tail: "proved", anchors: { compared: 2 } });
      await appendAudit(session, { actor: "bob", action: "test", subject: "in the copy" });
      expect(await anchorAudit(copy, session)).toEqual({ anchored: true, note: null });
      const own = (await keys()).filter((key) => !all.includes(key));
      expect(JSON.parse(await textOf(own[0]!)).document.previous).toMatchObject({ id: 2, key: all[1] });
      const again = await openSession(world.database.url);
      await appendAudit(again, { actor: "alice", action: "test", subject: "in the first" });
      await anchorAudit(world.belay, again);
      await again.close();
      expect((await verifyAuditLog(world.belay)).problems).toEqual([]);
      expect(await verifyAuditLog(copy)).toMatchObject({
        ok: true,
        anchors: { compared: 3 },
        notes: ["1 newer anchor is of the database that this one is a copy of"],
      });
    } finally {
      await session.close();
      await runSql(server, `drop database ${name} with (force)`);
      await world.database.drop();
      world = shared;
    }
  });

  it("that was dropped and made again begins anew", async () => {
    await anchored(2);
    const other = await openWorld({ store: world.store });
    try {
      await other.append("x");
      expect(await anchorAudit(other.belay, other.session)).toEqual({ anchored: true, note: null });
      expect((await verifyAuditLog(other.belay)).problems).toEqual([]);
      expect((await verifyAuditLog(world.belay)).problems).toEqual([]);
    } finally {
      await other.close();
    }
  });
});

describe("a database that was restored to an earlier moment", () => {
  /** As a restore of the files does it: log and memory of anchors as they were, the store as it is. */
  async function restoredTo(rows: number, more: number): Promise<void> {
    await anchored(rows);
    await world.session.run(
      "create table log as select * from belay.audit_log; create table last as select * from belay.audit_anchors",
    );
    await anchored(more);
    await world.tamper(`delete from belay.audit_log; insert into belay.audit_log select * from log;
      delete from belay.audit_anchors; insert into belay.audit_anchors select * from last`);
  }

  it("is told as what it may be, and the next anchor of an anchored row is refused", async () => {
    await restoredTo(2, 2);
    const result = await verifyAuditLog(world.belay);
    expect(result.problems).toMatchObject([
      { kind: "tail_cut", message: expect.stringContaining("or the database was restored to a moment before that") },
    ]);
    await world.append("another third");
    expect((await anchor()).note).toContain("belay audit anchor --after-restore");
    expect((await verifyAuditLog(world.belay)).problems).toMatchObject([{ kind: "history_differs" }]);
  });

  it("is noticed at the next anchor by the server's timeline", async () => {
    await restoredTo(2, 3);
    await world.session.run("update belay.audit_anchors set timeline = timeline - 1");
    await world.append("another third");
    expect((await anchor()).note).toMatch(/row 5 was anchored, and the log ends at row 3/);
  });

  it("goes on when somebody puts that on record, and every verification tells of it", async () => {
    await restoredTo(2, 2);
    await world.append("another third");
    expect(await continueAfterRestore(world.belay, world.session, "restored after the crash")).toEqual({
      above: 2,
      newest: 4,
    });
    await anchored(2);
    const result = await verifyAuditLog(world.belay);
    expect(result).toMatchObject({ ok: true, rows: 6, tail: "proved", unanchoredRows: 0 });
    expect(result.notes.join("; ")).toMatch(
      /2 anchors above row 2 are of a history that was left by a restore.*|alice said that the database was restored, with anchors up to row 2 of 4 that agree: restored after the crash/,
    );
    expect(result.notes).toHaveLength(2);
    const left = { id: 4, hash: "4".repeat(64) };
    await strayReceipt(left, "2020-01-01T00:00:00.000Z");
    expect((await verifyAuditLog(world.belay)).notes).toContain("1 receipt of a history that was left by a restore");
    await strayReceipt(left, "2120-01-01T00:00:00.000Z");
    expect((await kinds()).map(([kind]) => kind)).toEqual(["receipt_without_record"]);
    await world.tamper(`update belay.audit_log set actor = 'eve' where id = 1; ${rehashFrom(1)}`);
    expect((await verifyAuditLog(world.belay)).ok).toBe(false);
  });

  it("cannot be claimed where all anchors agree", async () => {
    await anchored(2);
    await expect(continueAfterRestore(world.belay, world.session, "no")).rejects.toMatchObject({ code: "usage" });
    expect(await verifyAuditLog(world.belay)).toMatchObject({ ok: true, rows: 2 });
  });
});

/** A receipt of a rollback of this database that is not on record. */
async function strayReceipt(audit: { id: number; hash: string }, at: string): Promise<void> {
  const [anchor] = await keys();
  const { source } = JSON.parse(await textOf(anchor!)).document;
  const rollbackId = crypto.randomUUID();
  const document: Receipt = {
    format: "belay-receipt/1",
    rollbackId,
    kind: "rollback",
    migrations: ["1_a"],
    outcome: "committed",
    planHash: "",
    archive: null,
    audit,
    previous: null,
    source,
    actor: "alice",
    reason: "test",
    startedAt: at,
    finishedAt: at,
    writtenAt: at,
  };
  await world.store.write(`receipts/${rollbackId}.json`, once(await seal(document, undefined)));
}

// biome-ignore lint/correctness/useYield: it fails before it gives anything
async function* fails(error: Error): AsyncGenerator<never> {
  throw error;
}

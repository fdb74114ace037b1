import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { once } from "../../shared/archive/digesting.ts";
import { expireArchive, lookAtExpiry } from "../../shared/archive/retention/expire.ts";
import { verifyArchive } from "../../shared/archive/verify.ts";
import { sealRecords } from "../../shared/audit/seal-records.ts";
import { verifyAuditLog } from "../../shared/audit/verify.ts";
import type { Belay } from "../../shared/context.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { purgeKept } from "../../shared/rollback/preserve/purge.ts";
import type { RollbackReport } from "../../shared/rollback/types.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { apply } from "../rollback/helpers.ts";
import { newKeys, openWorld, type World } from "./support.ts";

let world: World;
let belay: Belay;
let publicKey: string;
const reports: Record<string, RollbackReport> = {};

beforeAll(async () => {
  world = await openWorld();
  const keys = await newKeys();
  publicKey = keys.publicKey;
  belay = { ...world.belay, settings: { ...world.belay.settings, signingKey: keys.privateKey } };
  await apply(
    world.database.url,
    {
      name: "0_d",
      up: "create table d (id int primary key); create table e (id int primary key); insert into d values (1); insert into e values (1)",
      down: "drop table d, e",
    },
    { name: "1_a", up: "create table a (id int primary key); insert into a values (1), (2)", down: "drop table a" },
    { name: "2_b", up: "create table b (id int primary key); insert into b values (1)", down: "drop table b" },
    { name: "3_c", up: "drop table if exists nothing", down: "create table c (id int)" },
  );
  for (const name of ["3_c", "2_b", "1_a"])
    reports[name] = await executeRollback(belay, { migration: name, reason: `why ${name}` });
  reports["0_d"] = await executeRollback(belay, { migration: "0_d", reason: "why 0_d" });
  reports.only = await undoRollback(belay, { migration: "0_d", only: ["d"], reason: "that one" });
  reports.undo = await undoRollback(belay, { migration: "1_a", reason: "needed after all" });
});
afterAll(() => world?.close());

const keyOf = (name: string) => `archives/${reports[name]!.archiveId}/receipt.json`;
const bare = (name: string) => `receipts/${reports[name]!.rollbackId}.json`;

async function textOf(key: string): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of world.store.read(key)) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

/** What is found while a file of the store is another, or gone. */
async function foundWith(key: string, text: string | null): Promise<unknown[]> {
  const before = await textOf(key);
  await world.store.delete(key);
  if (text !== null) await world.store.write(key, once(Buffer.from(text)));
  const { problems } = await verifyAuditLog(belay, { key: publicKey });
  await world.store.delete(key);
  await world.store.write(key, once(Buffer.from(before)));
  return problems.map(({ kind, message }) => [kind, message]);
}

/** What is found while the records are other ones. */
async function foundAfter(sql: string, back: string): Promise<unknown[]> {
  await world.tamper(sql);
  const { problems } = await verifyAuditLog(belay);
  await world.tamper(back);
  return problems.map(({ kind, message }) => [kind, message]);
}

describe("the receipt of a rollback", () => {
  it("lies beside its archive, names its row of the log and the receipt before it, and is signed", async () => {
    const { document, signature } = JSON.parse(await textOf(keyOf("2_b")));
    const [row] = await world.session
      .sql`select id::int, hash from belay.audit_log where subject = '2_b' and action = 'rollback'`;
    const [archive] = await world.session
      .sql`select manifest_sha256 as sha256 from belay.archives where id = ${reports["2_b"]!.archiveId}`;
    expect(document).toMatchObject({
      format: "belay-receipt/1",
      rollbackId: reports["2_b"]!.rollbackId,
      kind: "rollback",
      migrations: ["2_b"],
      outcome: "committed",
      archive: { id: reports["2_b"]!.archiveId, manifestSha256: archive!.sha256 },
      audit: { id: row!.id, hash: row!.hash },
      previous: { key: bare("3_c") },
      actor: "alice",
      reason: "why 2_b",
    });
    expect(signature).toMatchObject({ algorithm: "Ed25519", publicKey });
    expect(JSON.stringify(reports)).not.toContain("not anchored");
  });

  it("lies by the rollback's id where nothing had to be archived, and an undo has one too", async () => {
    expect(JSON.parse(await textOf(bare("3_c"))).document).toMatchObject({ archive: null, migrations: ["3_c"] });
    const [undo] = await world.session
      .sql`select key from belay.receipts where rollback_id = ${reports.undo!.rollbackId}`;
    expect(JSON.parse(await textOf(undo!.key)).document).toMatchObject({ kind: "undo", reason: "needed after all" });
  });

  it("is no damage of the archive", async () => {
    expect((await verifyArchive(world.store, reports["2_b"]!.archiveId!)).problems).toEqual([]);
  });

  it("is verified with the log, by the key", async () => {
    expect(await verifyAuditLog(belay, { key: publicKey })).toMatchObject({
      ok: true,
      tail: "proved",
      unanchoredRows: 0,
      anchors: { compared: 6 },
      records: { rollbacks: 6, receipts: 6 },
      problems: [],
    });
  });

  it("that is gone or was changed is named", async () => {
    const id = reports["2_b"]!.rollbackId;
    const text = await textOf(keyOf("2_b"));
    expect(await foundWith(keyOf("2_b"), null)).toEqual([
      ["receipt_missing", `the receipt of ${id} is gone from the store`],
    ]);
    expect(await foundWith(keyOf("2_b"), text.replace("why 2_b", "why not"))).toEqual([
      ["receipt_differs", `the receipt of ${id} was changed in the store`],
    ]);
    expect(await foundWith(keyOf("2_b"), "x")).toEqual([["receipt_differs", `the receipt of ${id} does not read`]]);
  });

  it("that somebody else signed is named", async () => {
    const other = await newKeys();
    const { problems } = await verifyAuditLog(belay, { key: other.publicKey });
    expect(problems.map(({ kind }) => kind)).toEqual(Array(12).fill("signature"));
  });

  it("whose record is gone from the database is named", async () => {
    const { rollbackId } = reports["2_b"]!;
    const gone = await foundAfter(
      `create table kept as select * from belay.rollbacks where id = '${rollbackId}';
       create table kept_receipt as select * from belay.receipts where rollback_id = '${rollbackId}';
       alter table belay.rollbacks disable trigger all; alter table belay.receipts disable trigger all;
       delete from belay.receipts where rollback_id = '${rollbackId}'; delete from belay.rollbacks where id = '${rollbackId}'`,
      `insert into belay.rollbacks select * from kept; insert into belay.receipts overriding system value select * from kept_receipt;
       drop table kept, kept_receipt`,
    );
    expect(gone).toContainEqual([
      "receipt_without_record",
      expect.stringMatching(new RegExp(`^the receipt of ${rollbackId} says that alice did a rollback of 2_b at`)),
    ]);
  });

  it("is written later where the store was away", async () => {
    const away = { ...belay, store: { ...belay.store, write: () => Promise.reject(new Error("s3://x is away")) } };
    await world.session.run(`alter table belay.receipts disable trigger all;
      delete from belay.receipts where rollback_id = '${reports["1_a"]!.rollbackId}';
      alter table belay.receipts enable always trigger append_only; alter table belay.receipts enable always trigger append_only_truncate`);
    expect(await sealRecords(away, world.session)).toEqual([
      "the receipt is not written: s3://x is away; `belay audit anchor` writes it later",
    ]);
    expect(await sealRecords(belay, world.session)).toEqual([]);
    expect((await verifyAuditLog(belay, { key: publicKey })).problems).toEqual([]);
  });
});

describe("records of rollbacks that do not agree with the log", () => {
  it.each([
    ["actor = 'bob'", "actor = 'alice'", "who"],
    ["reason = 'x'", "reason = 'why 2_b'", "the reason"],
  ])("%s is named", async (change, back, what) => {
    const where = `where id = '${reports["2_b"]!.rollbackId}'`;
    const found = await foundAfter(
      `update belay.rollbacks set ${change} ${where}`,
      `update belay.rollbacks set ${back} ${where}`,
    );
    expect(found).toEqual([
      ["record_differs", expect.stringMatching(new RegExp(`^row \\d+ and the record of .* differ: ${what}$`))],
    ]);
  });

  it("one that was put in has no row", async () => {
    const id = "00000000-0000-4000-8000-000000000001";
    const found = await foundAfter(
      `insert into belay.rollbacks (id, migration_name, outcome, plan_hash, plan, reason, actor) values ('${id}', 'x', 'committed', '', '{}', 'r', 'a')`,
      `delete from belay.rollbacks where id = '${id}'`,
    );
    expect(found).toEqual([["record_without_row", `rollback ${id} is on record, but the log has no row of it`]]);
  });

  it("one that was made to have failed leaves its row without a record", async () => {
    const where = `where id = '${reports["2_b"]!.rollbackId}'`;
    const found = await foundAfter(
      `update belay.rollbacks set outcome = 'failed' ${where}`,
      `update belay.rollbacks set outcome = 'committed' ${where}`,
    );
    expect(found.map((each) => (each as string[])[0])).toEqual(["row_without_record", "record_without_row"]);
  });
});

describe("a rollback that was quarantined and purged", () => {
  it("agrees with the log", async () => {
    await apply(world.database.url, {
      name: "4_f",
      up: "create table f (id int primary key); insert into f values (1)",
      down: "drop table f",
    });
    const report = await executeRollback(belay, { migration: "4_f", reason: "kept", preserve: "quarantine" });
    expect((await verifyAuditLog(belay, { key: publicKey })).problems).toEqual([]);
    await purgeKept(belay, { rollbacks: [report.rollbackId] });
    const result = await verifyAuditLog(belay, { key: publicKey });
    expect(result.problems).toEqual([]);
    expect(await world.session.sql`select 1 from belay.archives where purpose = 'quarantine'`).toHaveLength(1);
  });
});

describe("an archive that expired on record", () => {
  it("takes its receipt with it, and the log still verifies", async () => {
    const id = reports["2_b"]!.archiveId!;
    const request = { id, reason: "privacy", giveUpUndo: true, withoutRecords: false };
    await expireArchive(belay, await lookAtExpiry(belay, request), request);
    expect(await world.store.head(keyOf("2_b"))).toBeNull();
    expect((await verifyAuditLog(belay, { key: publicKey })).problems).toEqual([]);
  });
});

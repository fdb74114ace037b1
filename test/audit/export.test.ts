import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anchorAudit } from "../../shared/audit/anchor.ts";
import { exportAudit } from "../../shared/audit/export.ts";
import { type ExportFormat, exportFormats } from "../../shared/audit/export-format.ts";
import { parsePublicKey } from "../../shared/audit/sealed.ts";
import type { VerifyOptions } from "../../shared/audit/verify.ts";
import { verifyExport } from "../../shared/audit/verify-export.ts";
import { anyText, json } from "./any-json.ts";
import { newKeys, openWorld, rehashFrom, type World } from "./support.ts";

let world: World;
let signer: Awaited<ReturnType<typeof newKeys>>;
beforeAll(async () => {
  signer = await newKeys();
  world = await openWorld();
  await world.append("plain", 'a,b "quoted"\r\nsecond line', " space ", "€ 𝄞", "it's");
  await anchorAudit(signed(), world.session);
  for (const [subject, details] of fc.sample(fc.tuple(anyText, json), { numRuns: 40, seed: 7 }))
    await world.session.sql`select belay.append_audit('al,ice', 'test', ${subject}, ${details}::text::jsonb)`;
  await anchorAudit(signed(), world.session);
  await world.append("last");
});
afterAll(() => world?.close());

const signed = () => ({ ...world.belay, settings: { ...world.belay.settings, signingKey: signer.privateKey } });

async function textOf(format: ExportFormat, range: { from?: number; to?: number } = {}): Promise<string> {
  let text = "";
  for await (const part of exportAudit(world.belay, { format, ...range })) text += part;
  return text;
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const verify = (text: string | Buffer, options?: VerifyOptions, size = 7) =>
  verifyExport(inPieces(Buffer.from(text), size), options);

describe.each(exportFormats)("an export as %s", (format) => {
  it("verifies without a database, whatever pieces it is read in", async () => {
    const text = await textOf(format);
    for (const size of [1, 7, 100_000])
      expect(await verify(text, {}, size)).toMatchObject({
        ok: true,
        rows: 46,
        from: 1,
        head: { id: 46 },
        tail: "proved",
        unanchoredRows: 1,
        anchors: { compared: 2, newest: { id: 45 } },
        problems: [],
      });
  });

  it("of a part says what is not in it", async () => {
    const result = await verify(await textOf(format, { from: 10, to: 20 }));
    expect(result).toMatchObject({ ok: true, rows: 11, from: 10, head: { id: 20 }, tail: "not_proved" });
    expect(result.notes).toContain("the export begins at row 10: what is before it was not looked at");
    expect(result.notes).toContain("the log went on to row 46 when it was exported");
    expect(await verify(await textOf(format, { from: 100 }))).toMatchObject({ ok: true, rows: 0 });
  });

  it("does not verify after any change of its bytes", async () => {
    const bytes = Buffer.from(await textOf(format));
    const place = fc.nat(bytes.length - 1);
    const change = fc.oneof(
      // Without its last newline it still says all.
      fc.record({ cut: fc.nat(bytes.toString().trimEnd().length - 1) }),
      fc.record({ flip: place, bit: fc.nat(7) }),
      fc.record({ line: fc.nat(40), what: fc.constantFrom("drop", "twice", "swap") }),
    );
    await fc.assert(
      fc.asyncProperty(change, async (how) => {
        const changed = altered(bytes, how);
        if (changed === null) return;
        const result = await verify(changed, { key: signer.publicKey }, 50_000);
        expect(result.ok, JSON.stringify(how)).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  it("that was rewritten is found by a hash noted elsewhere", async () => {
    const whole = await verify(await textOf(format));
    await world.session.run("create table if not exists kept as select * from belay.audit_log");
    await world.tamper(`update belay.audit_log set actor = 'eve' where id = 46; ${rehashFrom(46)}`);
    const rewritten = await textOf(format);
    await world.tamper("delete from belay.audit_log; insert into belay.audit_log select * from kept");
    expect((await verify(rewritten)).ok).toBe(true);
    expect((await verify(rewritten, { expect: whole.head })).problems).toMatchObject([
      { kind: "not_as_expected", id: 46 },
    ]);
    expect((await verify(await textOf(format), { expect: whole.head })).ok).toBe(true);
    expect((await verify(await textOf(format, { to: 40 }), { expect: whole.head })).ok).toBe(false);
  });

  it("is checked by the key that signed its anchors", async () => {
    const text = await textOf(format);
    const other = await newKeys();
    expect((await verify(text, { key: signer.publicKey })).ok).toBe(true);
    expect((await verify(text, { key: other.publicKey })).problems).toMatchObject([
      { kind: "signature", message: "the anchor of row 5: it is signed with another key" },
      { kind: "signature", id: 45 },
    ]);
  });
});

describe("what is no export", () => {
  it.each([
    "",
    "\n",
    "{",
    "[]",
    '{"id":1}\n',
    "id,a\r\n1,2",
    '"',
    "{}\n".repeat(3),
    '{"end":{}}',
    "anchor,,,,,x,,\r\n",
    "\ufeff",
  ])("%j is refused", async (text) => {
    expect((await verify(text)).problems.map(({ kind }) => kind)).toContain("export_damaged");
  });

  it("any bytes are refused, and nothing is thrown", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect((await verify(Buffer.from(bytes))).ok).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it.each(["", "abc", "MCowBQYDK2VwAyEA"])("%j is no public key", (text) => {
    expect(() => parsePublicKey(text)).toThrow(/not an Ed25519 public key/);
  });

  it("a PEM is a public key", () => {
    expect(parsePublicKey(`-----BEGIN PUBLIC KEY-----\n${signer.publicKey}\n-----END PUBLIC KEY-----\n`)).toBe(
      signer.publicKey,
    );
  });
});

type Change = { cut?: number; flip?: number; bit?: number; line?: number; what?: string };

/** The bytes after a change; null when it is none. */
function altered(bytes: Buffer, { cut, flip, bit, line, what }: Change): Buffer | null {
  if (cut !== undefined) return bytes.subarray(0, cut);
  if (flip !== undefined) {
    const copy = Buffer.from(bytes);
    copy[flip] = copy[flip]! ^ (1 << bit!);
    return harmless(bytes, copy) ? null : copy;
  }
  const lines = bytes.toString("utf8").split(/(?<=\n)/);
  const at = Math.min(line!, lines.length - 2);
  if (what === "drop") lines.splice(at, 1);
  else if (what === "twice") lines.splice(at, 0, lines[at]!);
  else lines.splice(at, 2, lines[at + 1]!, lines[at]!);
  const made = Buffer.from(lines.join(""));
  return made.equals(bytes) ? null : made;
}

/** What the end tells for people is proved by nothing, and CSV and JSON have more than one way to write a value. */
function harmless(before: Buffer, after: Buffer): boolean {
  const end = before.lastIndexOf("end");
  const at = before.findIndex((byte, index) => byte !== after[index]);
  const blank = (byte: number | undefined) => byte !== undefined && [0x09, 0x0a, 0x0d, 0x20].includes(byte);
  const escaped = /\\u00[0-9a-fA-F]{0,1}$/.test(before.subarray(Math.max(0, at - 5), at).toString("latin1"));
  return (
    escaped || at >= end - 2 || (blank(before[at]) && blank(after[at])) || before[at] === 0x0d || after[at] === 0x0d
  );
}

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  blockBytes,
  createMemberDecoder,
  createMemberEncoder,
  type MemberEncoder,
} from "../shared/archive/compression/members.ts";
import { tableDigest } from "../shared/archive/table-digest.ts";
import { qualified } from "../shared/catalog/identifiers.ts";
import { copyOut } from "../shared/postgres/copy.ts";
import { openSession } from "../shared/postgres/session.ts";
import { createFolderStore } from "../shared/store/folder.ts";

/** One step of a dump alone, with nothing else to do: how fast it can be at most. */
export interface Step {
  readonly case: string;
  /** MB of COPY text a second, by the clock. */
  readonly ours: number;
  readonly unit: "MB/s";
  /** Seconds of this process's CPU for each second by the clock; the server's are not in it. */
  readonly cpu: number;
}

/** Text that the steps after COPY are measured with; it stays in memory. */
const sampleBytes = 128 * 1024 * 1024;

/** Measures each step of dumping one table alone. */
export async function measureSteps(url: string, schema: string, table: string): Promise<Step[]> {
  const session = await openSession(url);
  const steps: Step[] = [];
  try {
    const sample: Uint8Array[] = [];
    const name = qualified(schema, table);
    let bytes = 0;
    let kept = 0;
    const copied = await clock(async () => {
      for await (const block of copyOut(session, `copy ${name} to stdout`, { blockBytes })) {
        bytes += block.length;
        if (kept < sampleBytes) sample.push(block);
        kept += block.length;
      }
    });
    steps.push(stepOf("COPY out alone", bytes, copied));
    const columns = await session.sql<{ name: string }[]>`
      select attname as name from pg_attribute where attrelid = ${name}::regclass and attnum > 0 and not attisdropped`;
    const digest = { schema, table, columns: columns.map((column) => column.name) };
    steps.push(stepOf("the table's digest alone", bytes, await clock(() => tableDigest(session, digest))));
    steps.push(...(await measureBytes(sample)));
    return steps;
  } finally {
    await session.close();
  }
}

async function measureBytes(blocks: readonly Uint8Array[]): Promise<Step[]> {
  const raw = blocks.reduce((sum, block) => sum + block.length, 0);
  const encoder = createMemberEncoder(6);
  const decoder = createMemberDecoder();
  const steps: Step[] = [];
  let members: Uint8Array[] = [];
  for (const lanes of [1, 2]) {
    members = [];
    const time = await clock(() => encodeAll(blocks, lanes, encoder, members));
    steps.push(stepOf(`gzip -6 alone, ${lanes} at a time`, raw, time));
  }
  const hashed = await clock(async () => {
    const hash = createHash("sha256");
    for (const member of members) hash.update(member);
  });
  steps.push(stepOf("sha256 of what is stored, alone", raw, hashed));
  const decoded = await clock(async () => {
    for (const member of members) await decoder.decode(Buffer.from(member), "a block", () => {});
  });
  steps.push(stepOf("decompressing alone, 1 at a time", raw, decoded));
  steps.push(stepOf("writing to a folder alone, synced", raw, await clock(() => writeAll(members))));
  encoder.close();
  decoder.close();
  return steps;
}

async function encodeAll(blocks: readonly Uint8Array[], lanes: number, encoder: MemberEncoder, into: Uint8Array[]) {
  let next = 0;
  const lane = async () => {
    for (let at = next++; at < blocks.length; at = next++) into[at] = await encoder.encode(blocks[at]!);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

async function writeAll(members: readonly Uint8Array[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "belay-bench-"));
  try {
    await createFolderStore(folder).write("object", all(members));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function* all(members: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* members;
}

interface Time {
  readonly seconds: number;
  readonly cpu: number;
}

async function clock(work: () => Promise<unknown>): Promise<Time> {
  const before = process.cpuUsage();
  const start = performance.now();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 };
}

function stepOf(name: string, bytes: number, { seconds, cpu }: Time): Step {
  const round = (value: number) => Math.round(value * 100) / 100;
  return { case: name, ours: round(bytes / 1e6 / seconds), unit: "MB/s", cpu: round(cpu / seconds) };
}

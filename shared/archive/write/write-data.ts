import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { createMemberDecoder, createMemberEncoder } from "../compression/members.ts";
import { archiveKey } from "../names.ts";
import { type TableDigest, tableDigests } from "../table-digest.ts";
import type { ArchivedObject, ArchivedTable } from "../types.ts";
import { createBackground } from "./background.ts";
import type { ArchiveInput } from "./input.ts";
import type { ArchiveLayout, TableToArchive } from "./layout.ts";
import { progressOf } from "./progress.ts";
import { readBackRows } from "./read-back.ts";
import {
  largeObjectsTogether,
  readBackLargeObject,
  readBeginnings,
  type WrittenLargeObject,
  writeLargeObject,
} from "./write-large-objects.ts";
import { type WrittenRows, writeRows } from "./write-table.ts";

interface WrittenTable {
  readonly table: ArchivedTable;
  readonly object: ArchivedObject;
}

/** All that has a file of its own, in the order of the table of contents. */
export interface WrittenData {
  readonly tables: readonly WrittenTable[];
  readonly largeObjects: readonly WrittenLargeObject[];
}

/** Uploads and read-backs that go on while the readers read the next tables. */
const mostInBackground = 8;

/** What a large table counts among them: parts of its upload are held in memory. */
const weightOfLarge = 4;

/** Below this size (bytes in the source) the digests of many tables are taken together. */
export const mostOfSmall = 4 * 1024 * 1024;
const digestsTogether = 200;

type Planned = ArchiveLayout["tables"][number];
type Job = (reader: Session) => Promise<void>;

/**
 * Writes every table's rows, takes their digests, writes the large objects, and reads all of it back, on all readers at
 * once, large tables first. The first failure stops all. Nothing of it goes on when this settles.
 */
export async function writeData(input: ArchiveInput, layout: ArchiveLayout, level: number): Promise<WrittenData> {
  const rows = new Map<string, WrittenRows>();
  const largeObjects = new Map<number, WrittenLargeObject>();
  const digests = new Map<string, TableDigest>();
  const progress = progressOf(input, layout);
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown) => {
    if (failure !== undefined) return;
    failure = { error };
    // Another reader may wait for rows or for the store: without its connection it ends too.
    for (const reader of input.readers) void reader.destroy().catch(() => {});
  };
  const encoder = createMemberEncoder(level);
  const decoder = createMemberDecoder();
  const background = createBackground(mostInBackground, fail);
  const onBytes = (bytes: number) => {
    if (failure !== undefined) throw failure.error;
    progress.add(bytes);
    if (input.budgetBytes !== null && progress.bytes > input.budgetBytes) throw needsWorker(input.budgetBytes);
  };

  const copy =
    ({ table, file }: Planned): Job =>
    async (reader) => {
      const key = archiveKey(input.id, file);
      const { read, written: stored } = writeRows(reader, { store: input.store, key, file, table, encoder, onBytes });
      const room = background.add(
        stored.then(async (result) => {
          await readBackRows(input.store, key, result, decoder);
          rows.set(file, result);
          progress.tableDone(table);
        }),
        (table.sizeHint ?? 0) < mostOfSmall ? 1 : weightOfLarge,
      );
      await read;
      await room;
    };
  const digest =
    (tables: readonly Planned[]): Job =>
    async (reader) => {
      const sources = tables.map(({ table }) => ({ ...(table.from ?? table), columns: table.columns }));
      const found = await tableDigests(reader, sources);
      tables.forEach(({ file }, index) => {
        digests.set(file, found[index]!);
      });
    };

  const copyLargeObjects =
    (oids: readonly number[]): Job =>
    async (reader) => {
      const keyOf = (file: string) => archiveKey(input.id, file);
      const beginnings = await readBeginnings(reader, oids);
      for (const [index, oid] of oids.entries()) {
        const read = Promise.withResolvers<void>();
        const to = { store: input.store, encoder, keyOf, onBytes };
        const writing = writeLargeObject(reader, oid, beginnings[index]!, to, read.resolve);
        writing.catch(read.reject);
        const room = background.add(
          writing.then(async (result) => {
            await readBackLargeObject(input.store, archiveKey(input.id, result.object.file), result, decoder);
            largeObjects.set(oid, result);
          }),
        );
        await read.promise;
        await room;
      }
    };

  const jobs = jobsOf(layout, copy, digest);
  const oids = input.largeObjects ?? [];
  for (let at = 0; at < oids.length; at += largeObjectsTogether)
    jobs.push(copyLargeObjects(oids.slice(at, at + largeObjectsTogether)));
  const work = async (reader: Session) => {
    for (let job = jobs.shift(); job !== undefined && failure === undefined; job = jobs.shift()) await job(reader);
  };
  await Promise.all(input.readers.map((reader) => work(reader).catch(fail)));
  await background.ended();
  encoder.close();
  decoder.close();
  if (failure !== undefined) throw (failure as { error: unknown }).error;
  return {
    tables: layout.tables.map(({ table, file }) => describe(table, file, rows.get(file)!, digests.get(file)!)),
    largeObjects: oids.map((oid) => largeObjects.get(oid)!),
  };
}

/** Large tables first, each followed by its digest for the next reader; then the digests of the small ones, and these. */
function jobsOf(layout: ArchiveLayout, copy: (one: Planned) => Job, digest: (many: readonly Planned[]) => Job): Job[] {
  const size = ({ table }: Planned) => table.sizeHint ?? 0;
  const ordered = [...layout.tables].sort((a, b) => size(b) - size(a));
  const small = ordered.filter((one) => size(one) < mostOfSmall);
  const large = ordered.slice(0, ordered.length - small.length);
  const jobs = large.flatMap((one) => [copy(one), digest([one])]);
  for (let at = 0; at < small.length; at += digestsTogether) jobs.push(digest(small.slice(at, at + digestsTogether)));
  return [...jobs, ...small.map(copy)];
}

function describe(table: TableToArchive, file: string, written: WrittenRows, found: TableDigest): WrittenTable {
  if (written.rows !== found.rows) throw differs(table, written.rows, found.rows);
  return {
    table: {
      schema: table.schema,
      table: table.table,
      columns: [...table.columns],
      rows: written.rows,
      rawBytes: written.rawBytes,
      digest: found.digest,
      file,
      role: table.role,
      mergesInto: table.mergesInto,
    },
    object: written.object,
  };
}

/** COPY and count(*) read the same snapshot by different ways. */
function differs(table: TableToArchive, copied: number, counted: number): BelayError {
  const name = `${table.schema}.${table.table}`;
  return new BelayError("archive_unverified", `COPY gave ${copied} rows of ${name}, but it has ${counted}`, {
    hint: "Nothing was published. Report this: it should not happen.",
    details: { schema: table.schema, table: table.table },
  });
}

function needsWorker(budget: number): BelayError {
  return new BelayError(
    "needs_worker",
    `there are more than ${budget} bytes of rows, the most that may be archived here`,
    {
      hint: "Nothing changed. Run the same command with `belay` where there is no such limit.",
      details: { budget },
    },
  );
}

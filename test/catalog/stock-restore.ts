import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeToc } from "../../shared/archive/format/toc.ts";
import type { Catalog, Entry } from "../../shared/catalog/types.ts";
import { pgRestore } from "../support/debian.ts";

/** Restores the entries, without data, with stock pg_restore and two jobs: so only dependencies order what comes last. */
export async function stockRestore(url: string, catalog: Catalog): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "belay-toc-"));
  try {
    const archive = join(folder, "archive");
    await mkdir(archive);
    await writeFile(join(archive, "toc.dat"), tocOf(catalog.entries));
    await pgRestore(url, archive, "-j2", "--schema-only");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function tocOf(entries: readonly Entry[]): Uint8Array {
  const ids = new Map(entries.map((entry, index) => [entry.key, index + 10]));
  const special = (desc: string, defn: string, dumpId: number) => ({ ...blank, dumpId, tag: desc, desc, defn });
  return writeToc({
    minor: 14,
    format: "directory",
    compression: "none",
    createdAt: new Date(),
    database: "catalog",
    serverVersion: null,
    dumpVersion: null,
    entries: [
      special("ENCODING", "SET client_encoding = 'UTF8';\n", 1),
      special("STDSTRINGS", "SET standard_conforming_strings = 'on';\n", 2),
      special("SEARCHPATH", "SELECT pg_catalog.set_config('search_path', '', false);\n", 3),
      ...entries.map((entry) => ({
        ...blank,
        dumpId: ids.get(entry.key)!,
        tag: entry.name,
        desc: entry.kind,
        section: entry.section,
        defn: entry.create,
        dropStmt: entry.drop,
        namespace: entry.schema,
        tablespace: entry.tablespace,
        tableam: entry.tableam,
        owner: entry.owner,
        dependencies: entry.dependencies.map((key) => ids.get(key)!),
      })),
    ],
  });
}

const blank = {
  hadDumper: false,
  tableoid: "0",
  oid: "0",
  section: "pre-data" as const,
  dropStmt: null,
  copyStmt: null,
  namespace: null,
  tablespace: null,
  tableam: null,
  owner: null,
  dependencies: [],
  file: "",
};

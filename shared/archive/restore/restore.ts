import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { Progress } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import { copyIn } from "../../postgres/copy.ts";
import { databaseError } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { withParameters } from "../../postgres/settings.ts";
import type { ObjectStore } from "../../store/types.ts";
import type { TocEntry } from "../format/toc.ts";
import { readManifest } from "../list.ts";
import { readTableOfContents, readTableRows } from "../read/objects.ts";
import type { Manifest } from "../types.ts";
import { requireEmptyDatabase, requireEnvironment } from "./preflight.ts";

export interface RestoreRequest {
  /** On the empty database; should be its owner and able to set every owner that the archive names. */
  readonly session: Session;
  readonly store: ObjectStore;
  readonly id: string;
  report?(progress: Progress): void;
}

export interface RestoreReport {
  readonly manifest: Manifest;
  readonly entries: number;
  readonly tables: number;
  readonly rows: number;
  /** Milliseconds of each phase: RTO is their sum. */
  readonly phases: readonly { readonly name: "schema" | "rows" | "finish"; readonly milliseconds: number }[];
}

/** As pg_restore sets them: names with their schema, nothing checked or hidden before it is there, no time limit. */
const restoreParameters = {
  search_path: "",
  check_function_bodies: "off",
  row_security: "off",
  client_min_messages: "warning",
  xmloption: "content",
  default_tablespace: "",
  default_table_access_method: "heap",
  statement_timeout: "0",
  lock_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  standard_conforming_strings: "on",
};

const settings = new Set(["ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES"]);
const grants = new Set(["ACL", "DEFAULT ACL"]);
const last = new Set(["EVENT TRIGGER", "MATERIALIZED VIEW DATA"]);

/**
 * Restores an archive into an empty database: pre-data in order, rows, sequences, post-data, then grants, then what
 * must come last. Throws `scratch_unavailable` when the database is not empty or lacks a role or an extension, and
 * `archive_invalid` when the archive does not restore; what was made until then stays.
 */
export async function restoreArchive(request: RestoreRequest): Promise<RestoreReport> {
  const { session, store, id } = request;
  const manifest = await readManifest(store, id);
  await requireEmptyDatabase(session);
  await requireEnvironment(session, manifest);
  const toc = await readTableOfContents(store, manifest);
  const entries = toc.entries.filter(({ desc }) => !settings.has(desc));
  const ordinary = entries.filter(({ desc }) => !grants.has(desc) && !last.has(desc));
  const firstData = ordinary.findIndex(({ section }) => section === "data");
  const split = firstData === -1 ? ordinary.length : firstData;
  const data = ordinary.slice(split).filter(({ section }) => section === "data");
  const rest = ordinary.slice(split).filter(({ section }) => section !== "data");

  return await withParameters(session, restoreParameters, async () => {
    const schema = await timed("schema", () => runEntries(request, ordinary.slice(0, split)));
    const rows = await timed("rows", () => load(request, manifest, data));
    const finish = await timed("finish", async () => {
      await runEntries(request, rest);
      await runEntries(
        request,
        entries.filter(({ desc }) => grants.has(desc)),
      );
      await runEntries(
        request,
        entries.filter(({ desc }) => last.has(desc)),
      );
    });
    return {
      manifest,
      entries: entries.length,
      tables: manifest.tables.length,
      rows: rows.result,
      phases: [schema.phase, rows.phase, finish.phase],
    };
  });
}

async function timed<T, N extends "schema" | "rows" | "finish">(name: N, work: () => Promise<T>) {
  const start = performance.now();
  const result = await work();
  return { result, phase: { name, milliseconds: performance.now() - start } };
}

async function runEntries({ session, report }: RestoreRequest, entries: readonly TocEntry[]): Promise<void> {
  for (const [index, entry] of entries.entries()) {
    try {
      if (entry.defn) await session.run(entry.defn);
      const owner = ownerStatement(entry);
      if (owner !== null) await session.run(owner);
    } catch (error) {
      throw notRestored(`${entry.desc} ${qualified(entry.namespace, entry.tag)}`, error);
    }
    if (index % 100 === 99) report?.({ phase: "restore", message: entry.desc, done: index + 1, total: entries.length });
  }
}

async function load({ session, store, report }: RestoreRequest, manifest: Manifest, data: readonly TocEntry[]) {
  const tables = new Map(manifest.tables.map((table) => [table.file, table]));
  let total = 0;
  for (const entry of data) {
    const name = qualified(entry.namespace, entry.tag);
    if (entry.copyStmt === null) {
      if (entry.defn)
        await session.run(entry.defn).catch((error) => Promise.reject(notRestored(`${entry.desc} ${name}`, error)));
      continue;
    }
    const table = tables.get(`${entry.file}.gz`);
    if (table === undefined) throw invalid(`the rows of ${name} are not in its manifest`);
    let rows: number;
    try {
      rows = await copyIn(session, entry.copyStmt.trim().replace(/;$/, ""), readTableRows(store, manifest, table));
    } catch (error) {
      throw notRestored(`the rows of ${name}`, error);
    }
    if (rows !== table.rows) throw invalid(`${name} took ${rows} rows instead of ${table.rows}`);
    total += rows;
    report?.({ phase: "restore", message: `${name}: ${rows} rows`, unit: "rows", done: total });
  }
  return total;
}

/** Kinds that have an owner which ALTER can set; a schema that is not dropped (public) is named from its tag. */
const owned = new Set([
  ...["SCHEMA", "TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "TYPE", "DOMAIN", "COLLATION"],
  ...[
    "FUNCTION",
    "PROCEDURE",
    "AGGREGATE",
    "STATISTICS",
    "CONVERSION",
    "OPERATOR",
    "OPERATOR CLASS",
    "OPERATOR FAMILY",
  ],
  ...["TEXT SEARCH DICTIONARY", "TEXT SEARCH CONFIGURATION", "FOREIGN DATA WRAPPER", "SERVER", "PROCEDURAL LANGUAGE"],
  ...["PUBLICATION", "SUBSCRIPTION", "EVENT TRIGGER"],
]);

/** `ALTER ... OWNER TO` as pg_restore makes it out of the DROP statement, which holds the object's whole identity. */
function ownerStatement(entry: TocEntry): string | null {
  if (!entry.owner || !entry.dropStmt || !owned.has(entry.desc)) return null;
  const drop = /^DROP ([\s\S]+?);\s*$/.exec(entry.dropStmt)?.[1];
  const object = drop ?? (entry.desc === "SCHEMA" ? `SCHEMA ${quoteIdent(entry.tag)}` : null);
  return object === null ? null : `ALTER ${object} OWNER TO ${quoteIdent(entry.owner)}`;
}

function notRestored(what: string, error: unknown): BelayError {
  const cause = databaseError(error, { doing: `restoring ${what}` });
  if (cause.code !== "database_error") return cause;
  return new BelayError("archive_invalid", `${what} does not restore: ${cause.message}`, {
    hint: "The database keeps what was restored before it; drop it and use another archive, or mend what is missing.",
    cause: error,
    details: cause.details,
  });
}

function invalid(why: string): BelayError {
  return new BelayError("archive_invalid", `the archive does not restore: ${why}`, {
    hint: "Use another archive; list them with `belay archives`.",
  });
}

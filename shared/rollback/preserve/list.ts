import type postgres from "postgres";
import { z } from "zod";
import { keptPrefix } from "../../catalog/kept-schemas.ts";
import type { Belay } from "../../context.ts";
import { requireBelay } from "../../install.ts";
import type { Session } from "../../postgres/session.ts";
import { withSession } from "../../with-session.ts";
import { type Preserved, preservedSchema, preserveModeSchema, type RollbackReport } from "../types.ts";
import { placesOf } from "./kept.ts";

/** What one rollback keeps in the database. */
export const keptRollbackSchema = z.object({
  rollbackId: z.string(),
  migration: z.string(),
  mode: preserveModeSchema,
  /** The private schemas. */
  schemas: z.array(z.string()),
  kept: z.array(
    preservedSchema.shape.kept.element.extend({
      /** The server's estimate, or as the rollback or its plan counted them; null for types, and where they were never counted. */
      rows: z.number().nullable(),
      /** With indexes and toast; null for types. */
      bytes: z.number().nullable(),
    }),
  ),
  bytes: z.number(),
  /** When the rollback ended. */
  since: z.string(),
  /** From when on a purge takes it. */
  until: z.string(),
  due: z.boolean(),
  undoable: z.boolean(),
  /** Why it cannot be undone, or what is missing; null when all is as the rollback left it. */
  problem: z.string().nullable(),
});
export type KeptRollback = z.infer<typeof keptRollbackSchema>;

export const quarantineListSchema = z.object({
  kept: z.array(keptRollbackSchema),
  /** Private schemas of no rollback on record: of a restored copy, or somebody else's. */
  unknown: z.array(z.string()),
});
export type QuarantineList = z.infer<typeof quarantineListSchema>;

/** What rollbacks keep in private schemas of the database, oldest first. Throws `belay_not_installed`. */
export async function listKept(belay: Belay): Promise<QuarantineList> {
  return withSession(belay, "belay quarantine", async (session) => {
    await requireBelay(session);
    return await readList(session, belay.now());
  });
}

/** The same on a session, in its transaction. */
export async function readList(session: Session, now: Date): Promise<QuarantineList> {
  const schemas = await session.sql`
    select nspname::text as name from pg_namespace where starts_with(nspname, ${keptPrefix}) order by 1`;
  const standing = new Set(schemas.map(({ name }) => name as string));
  const records = await session.sql`
    select id, migration_name as migration, outcome, finished_at as finished, report -> 'preserved' as preserved,
           coalesce(report -> 'tables', '[]') as tables, coalesce(plan #> '{effect,columns}', '[]') as columns
      from belay.rollbacks
     where kind = 'rollback' and outcome in ('committed', 'undone') and report -> 'preserved' is not null
     order by finished_at, id`;
  const kept: KeptRollback[] = [];
  for (const row of records) {
    const preserved = row.preserved as Preserved;
    if (!preserved.schemas.some((each) => standing.has(each))) continue;
    const sizes = await sizesOf(session, preserved);
    const missing = (await placesOf(session, preserved)).gone.map(({ words }) => words);
    const undone = row.outcome === "undone";
    const items = preserved.kept.map((each) => {
      const { rows, bytes } = sizes.get(nameOf(each)) ?? { rows: null, bytes: null };
      return { ...each, rows: rows ?? (bytes === null ? null : countedRows(each, row)), bytes };
    });
    kept.push({
      rollbackId: row.id,
      migration: row.migration,
      mode: preserved.mode,
      schemas: preserved.schemas.filter((each) => standing.has(each)),
      kept: items,
      bytes: items.reduce((sum, each) => sum + (each.bytes ?? 0), 0),
      since: (row.finished as Date).toISOString(),
      until: preserved.until,
      due: new Date(preserved.until) <= now,
      undoable: !undone && (missing.length === 0 || preserved.mode === "copy"),
      problem: undone ? "undone already" : missing.length > 0 ? `no longer there: ${missing.join(", ")}` : null,
    });
  }
  const known = new Set(kept.flatMap((each) => each.schemas));
  return { kept, unknown: [...standing].filter((name) => !known.has(name)) };
}

/** Copies were never counted by the server: tables were by the archive, rows with a value in lost columns by the plan. */
function countedRows({ kind, schema, name }: Preserved["kept"][number], { tables, columns }: postgres.Row) {
  const counted: RollbackReport["tables"] = kind === "columns" ? columns : kind === "table" ? tables : [];
  return counted.find((each) => each.schema === schema && each.table === name)?.rows ?? null;
}

function nameOf({ keptIn, as }: { readonly keptIn: string; readonly as: string }): string {
  return JSON.stringify([keptIn, as]);
}

async function sizesOf(session: Session, { schemas }: Preserved) {
  const rows = await session.sql`
    select n.nspname as schema, c.relname as name, pg_total_relation_size(c.oid)::float8 as bytes,
           case when c.relkind in ('r', 'p') and c.reltuples >= 0 then c.reltuples::float8 end as rows
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = any(${schemas}::text[]) and c.relkind in ('r', 'p', 'S', 'f')`;
  return new Map(
    rows.map(({ schema, name, rows: estimate, bytes }) => [
      nameOf({ keptIn: schema, as: name }),
      { rows: estimate as number | null, bytes: bytes as number },
    ]),
  );
}

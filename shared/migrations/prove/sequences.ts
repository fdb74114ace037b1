import { qualified } from "../../catalog/identifiers.ts";
import type { Session } from "../../postgres/session.ts";

/** Last values of all sequences by quoted name; null: not called yet. */
export type SequenceValues = ReadonlyMap<string, string | null>;

/** What can draw a number from a sequence that stands already; DDL without any of these words cannot. */
const draws = /\b(?:insert|update|merge|copy|select|call|do|execute|nextval|setval|default|refresh)\b/i;

/** Whether running one of the texts may move a sequence. */
export function mayMoveSequences(texts: readonly string[]): boolean {
  return texts.some((text) => draws.test(text));
}

export async function readSequences(session: Session): Promise<SequenceValues> {
  const rows = await session.sql<{ schema: string; name: string; value: string | null }[]>`
    select schemaname as schema, sequencename as name, last_value::text as value from pg_catalog.pg_sequences`;
  return new Map(rows.map(({ schema, name, value }) => [qualified(schema, name), value]));
}

/** Puts sequences back that moved: ROLLBACK does not, and a later migration may count on the numbers. */
export async function restoreSequences(session: Session, wanted: SequenceValues): Promise<void> {
  for (const [name, value] of await readSequences(session)) {
    const before = wanted.get(name);
    if (before === undefined || before === value) continue;
    if (before === null)
      await session.sql`select pg_catalog.setval(${name}::regclass, seqstart, false)
        from pg_catalog.pg_sequence where seqrelid = ${name}::regclass`;
    else await session.sql`select pg_catalog.setval(${name}::regclass, ${before}::int8, true)`;
  }
}

import type { ArchivedSequence } from "../archive/types.ts";
import { qualified, quoteLiteral } from "../catalog/identifiers.ts";
import type { Session } from "../postgres/session.ts";

/** Sets each archived sequence to its value of then, or past its column's extreme where that is further on. */
export async function setSequences(session: Session, sequences: readonly ArchivedSequence[]): Promise<void> {
  for (const sequence of sequences) {
    const name = qualified(sequence.schema, sequence.name);
    await session.run(
      `select pg_catalog.setval(${quoteLiteral(name)}::regclass, ${BigInt(sequence.lastValue)}, ${sequence.isCalled})`,
    );
    const [owner] = await session.sql`
      select format('%I.%I', n.nspname, t.relname) as table_name, quote_ident(a.attname) as column_name, q.seqincrement < 0 as descending
        from pg_depend d
        join pg_class t on t.oid = d.refobjid join pg_namespace n on n.oid = t.relnamespace
        join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
        join pg_sequence q on q.seqrelid = d.objid
       where d.classid = 'pg_class'::regclass and d.objid = ${name}::regclass and d.deptype in ('a', 'i') and d.refobjsubid > 0`;
    if (owner === undefined) continue;
    const [extreme, beyond] = owner.descending ? ["min", "<"] : ["max", ">"];
    await session.run(`
      select pg_catalog.setval(${quoteLiteral(name)}::regclass, x.value::bigint, true)
        from (select ${extreme}(${owner.column_name}) as value from ${owner.table_name}) x, ${name} s
       where x.value ${beyond} s.last_value`);
  }
}

import { qualified, quoteIdent } from "../identifiers.ts";
import type { KindContext, KindReader, RawEntry } from "../kind.ts";
import { inScope } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";
import type { Fragment } from "./signatures.ts";

interface FamilyRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly method: string;
  readonly members: readonly Member[];
}

interface ClassRow extends FamilyRow {
  readonly isDefault: boolean;
  readonly type: string;
  /** `-` when the index keeps the type itself. */
  readonly storage: string;
  readonly familySchema: string;
  readonly family: string;
}

/** An operator with its strategy, or a support function with its number. */
interface Member {
  readonly number: number;
  readonly operator: string | null;
  readonly sortFamily: { readonly schema: string; readonly name: string } | null;
  readonly function: string | null;
  readonly left: string | null;
  readonly right: string | null;
}

/** OPERATOR FAMILY entries, with the members that belong to no class. */
export const operatorFamilies: KindReader = async (context) => {
  const { session, schemaOids, inUse } = context;
  if (!inUse.has("pg_opfamily")) return [];
  const rows = await session.sql<FamilyRow[]>`
    select f.oid, nspname as schema, opfname as name, pg_get_userbyid(opfowner) as owner, amname as method,
      ${membersOf(context, "pg_opfamily", session.sql`f.oid`)} as members
    from pg_opfamily f join pg_namespace n on n.oid = opfnamespace join pg_am a on a.oid = opfmethod
    where opfnamespace = any (${[...schemaOids]}::oid[])
      and not exists (select from pg_depend where classid = 'pg_opfamily'::regclass and objid = f.oid and deptype = 'e')
      ${inScope(context, catalog.operatorFamily, session.sql`f.oid`)}`;
  return rows.map((row) => {
    const name = `OPERATOR FAMILY ${qualified(row.schema, row.name)} USING ${quoteIdent(row.method)}`;
    const loose = row.members.length === 0 ? "" : `ALTER ${name} ADD\n    ${memberList(row.members)};\n`;
    return entry("OPERATOR FAMILY", row, `CREATE ${name};\n${loose}`, name, catalog.operatorFamily);
  });
};

/** OPERATOR CLASS entries. */
export const operatorClasses: KindReader = async (context) => {
  const { session, schemaOids, inUse } = context;
  if (!inUse.has("pg_opclass")) return [];
  const rows = await session.sql<ClassRow[]>`
    select c.oid, n.nspname as schema, opcname as name, pg_get_userbyid(opcowner) as owner, amname as method,
      opcdefault as "isDefault", opcintype::regtype::text as type, opckeytype::regtype::text as storage,
      fn.nspname as "familySchema", opfname as family,
      ${membersOf(context, "pg_opclass", session.sql`c.oid`)} as members
    from pg_opclass c join pg_namespace n on n.oid = opcnamespace join pg_am a on a.oid = opcmethod
      join pg_opfamily f on f.oid = opcfamily join pg_namespace fn on fn.oid = opfnamespace
    where opcnamespace = any (${[...schemaOids]}::oid[])
      and not exists (select from pg_depend where classid = 'pg_opclass'::regclass and objid = c.oid and deptype = 'e')
      ${inScope(context, catalog.operatorClass, session.sql`c.oid`)}`;
  return rows.map((row) => {
    const name = qualified(row.schema, row.name);
    const method = quoteIdent(row.method);
    const head = `${row.isDefault ? "DEFAULT " : ""}FOR TYPE ${row.type} USING ${method}`;
    // A class without members still needs something behind AS, and storing the type itself changes nothing.
    const storage = row.storage === "-" ? (row.members.length === 0 ? row.type : null) : row.storage;
    const parts = [...(storage === null ? [] : [`STORAGE ${storage}`]), ...row.members.map(memberText)];
    const create =
      `CREATE OPERATOR CLASS ${name}\n    ${head} FAMILY ${qualified(row.familySchema, row.family)} AS\n` +
      `    ${parts.join(" ,\n    ")};\n`;
    return entry("OPERATOR CLASS", row, create, `OPERATOR CLASS ${name} USING ${method}`, catalog.operatorClass);
  });
};

/** SQL for the members that pg_depend ties to a class or family, in the order in which they were added. */
function membersOf({ session }: KindContext, owner: "pg_opclass" | "pg_opfamily", oid: Fragment) {
  return session.sql`(
    select coalesce(json_agg(member order by kind, number, member_oid), '[]') from (
      select 1 as kind, amopstrategy as number, m.oid as member_oid, json_build_object(
        'number', amopstrategy, 'operator', amopopr::regoperator::text,
        'sortFamily', case when sf.oid is not null then json_build_object('schema', sn.nspname, 'name', sf.opfname) end
      ) as member
      from pg_depend d join pg_amop m on d.classid = 'pg_amop'::regclass and d.objid = m.oid
        left join pg_opfamily sf on sf.oid = amopsortfamily left join pg_namespace sn on sn.oid = sf.opfnamespace
      where d.refclassid = ${owner}::regclass and d.refobjid = ${oid}
      union all
      select 2, amprocnum, m.oid, json_build_object('number', amprocnum, 'function', amproc::regprocedure::text,
        'left', amproclefttype::regtype::text, 'right', amprocrighttype::regtype::text)
      from pg_depend d join pg_amproc m on d.classid = 'pg_amproc'::regclass and d.objid = m.oid
      where d.refclassid = ${owner}::regclass and d.refobjid = ${oid}
    ) m)`;
}

function memberList(members: readonly Member[]): string {
  return members.map(memberText).join(" ,\n    ");
}

function memberText({ number, operator, sortFamily, function: procedure, left, right }: Member): string {
  if (operator == null) return `FUNCTION ${number} (${left}, ${right}) ${procedure}`;
  const sorted = sortFamily === null ? "" : ` FOR ORDER BY ${qualified(sortFamily.schema, sortFamily.name)}`;
  return `OPERATOR ${number} ${operator}${sorted}`;
}

function entry(kind: string, row: FamilyRow, create: string, identity: string, classid: number): RawEntry {
  return rawEntry({
    kind,
    schema: row.schema,
    name: row.name,
    owner: row.owner,
    create,
    drop: `DROP ${identity};\n`,
    address: address(classid, row.oid),
  });
}

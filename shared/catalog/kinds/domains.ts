import { qualified, quoteIdent, quoteLiteral } from "../identifiers.ts";
import type { KindContext, KindReader, RawEntry } from "../kind.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";
import { userTypes } from "./types.ts";

interface DomainConstraint {
  readonly oid: number;
  readonly name: string;
  readonly type: "c" | "n";
  readonly text: string;
  readonly validated: boolean;
}

interface DomainRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly base: string;
  readonly collation: string | null;
  readonly notNull: boolean;
  readonly expression: string | null;
  readonly literal: string | null;
  readonly constraints: readonly DomainConstraint[];
}

/** DOMAIN entries, and a CHECK CONSTRAINT entry for each constraint that is not validated. */
export const domains: KindReader = async (context) =>
  context.typeKinds.has("d") ? (await readDomains(context)).flatMap(domainEntries) : [];

function readDomains(context: KindContext): Promise<DomainRow[]> {
  const { session } = context;
  return session.sql<DomainRow[]>`
    select t.oid, n.nspname as schema, t.typname as name, pg_get_userbyid(t.typowner) as owner,
      format_type(t.typbasetype, t.typtypmod) as base, t.typnotnull as "notNull",
      pg_get_expr(t.typdefaultbin, 'pg_type'::regclass) as expression, t.typdefault as literal, (
        select quote_ident(cn.nspname) || '.' || quote_ident(collname)
        from pg_collation c join pg_namespace cn on cn.oid = collnamespace, pg_type b
        where c.oid = t.typcollation and b.oid = t.typbasetype and t.typcollation <> b.typcollation
      ) as collation, (
        select coalesce(json_agg(json_build_object(
          'oid', c.oid::int8, 'name', conname, 'type', contype, 'validated', convalidated,
          'text', pg_get_constraintdef(c.oid)) order by conname), '[]')
        from pg_constraint c where contypid = t.oid
      ) as constraints
    from ${userTypes(context)} and t.typtype = 'd'` as unknown as Promise<DomainRow[]>;
}

function domainEntries(row: DomainRow): RawEntry[] {
  const name = qualified(row.schema, row.name);
  const inline = row.constraints.filter((constraint) => constraint.type === "c" && constraint.validated);
  const defaultText = row.expression ?? (row.literal === null ? null : quoteLiteral(row.literal));
  const create = [
    `CREATE DOMAIN ${name} AS ${row.base}`,
    row.collation === null ? "" : ` COLLATE ${row.collation}`,
    row.notNull ? notNullText(row) : "",
    defaultText === null ? "" : ` DEFAULT ${defaultText}`,
    ...inline.map((constraint) => `\n\tCONSTRAINT ${quoteIdent(constraint.name)} ${constraint.text}`),
  ].join("");
  const domain = rawEntry({
    kind: "DOMAIN",
    schema: row.schema,
    name: row.name,
    owner: row.owner,
    create: `${create};\n`,
    drop: `DROP DOMAIN ${name};\n`,
    address: address(catalog.type, row.oid),
  });
  const separate = row.constraints.filter((constraint) => constraint.type === "c" && !constraint.validated);
  return [domain, ...separate.map((constraint) => constraintEntry(row, name, constraint))];
}

/** Since 17 a domain's NOT NULL is a constraint with a name; a name that the server would choose again is not written. */
function notNullText(row: DomainRow): string {
  const constraint = row.constraints.find(({ type }) => type === "n");
  const isChosen = constraint === undefined || constraint.name === `${row.name}_not_null`;
  return isChosen ? " NOT NULL" : ` CONSTRAINT ${quoteIdent(constraint.name)} NOT NULL`;
}

function constraintEntry(row: DomainRow, domain: string, constraint: DomainConstraint): RawEntry {
  const name = quoteIdent(constraint.name);
  return rawEntry({
    kind: "CHECK CONSTRAINT",
    schema: row.schema,
    name: `${row.name} ${constraint.name}`,
    owner: row.owner,
    section: "post-data",
    create: `ALTER DOMAIN ${domain}\n    ADD CONSTRAINT ${name} ${constraint.text};\n`,
    drop: `ALTER DOMAIN ${domain} DROP CONSTRAINT ${name};\n`,
    address: address(catalog.constraint, constraint.oid),
  });
}

import { quoteLiteral } from "../identifiers.ts";
import type { KindReader, RawEntry } from "../kind.ts";
import { grantCommands } from "./acl-text.ts";
import { inScope, touches } from "./in-scope.ts";
import { address, attachedEntry, catalog, rawEntry } from "./raw-entry.ts";

interface LargeObjectRow {
  readonly oid: number;
  readonly owner: string;
  /** Null for those that it was made with. */
  readonly present: string[] | null;
  readonly base: string[] | null;
  readonly comment: string | null;
}

/** BLOB entries in the shape of archives before 1.16, with their comments and grants; only where the scope asks for them. */
export const largeObjects: KindReader = async (context) => {
  const { session, serverVersion } = context;
  if (!context.largeObjects || !touches(context, catalog.largeObject)) return [];
  const rows = await session.sql<LargeObjectRow[]>`
    select m.oid, pg_get_userbyid(lomowner) as owner, lomacl::text[] as present,
      case when lomacl is not null then acldefault('L', lomowner) end::text[] as base, description as comment
    from pg_largeobject_metadata m
      left join pg_description d on d.classoid = 'pg_largeobject'::regclass and d.objoid = m.oid and objsubid = 0
    where true ${inScope(context, catalog.largeObject, session.sql`m.oid`)}`;
  return rows.flatMap((row) => [blobEntry(row), ...commentEntry(row), ...grantEntry(row, serverVersion)]);
};

function blobEntry({ oid, owner }: LargeObjectRow): RawEntry {
  return rawEntry({
    kind: "BLOB",
    name: String(oid),
    owner,
    create: `SELECT pg_catalog.lo_create('${oid}');\n`,
    drop: `SELECT pg_catalog.lo_unlink('${oid}');\n`,
    address: address(catalog.largeObject, oid),
  });
}

function commentEntry({ oid, owner, comment }: LargeObjectRow): RawEntry[] {
  if (comment === null) return [];
  const create = `COMMENT ON LARGE OBJECT ${oid} IS ${quoteLiteral(comment)};\n`;
  return [attached("COMMENT", { oid, owner, create })];
}

function grantEntry({ oid, owner, present, base }: LargeObjectRow, serverVersion: number): RawEntry[] {
  if (present === null || base === null) return [];
  const target = { type: "LARGE OBJECT", object: String(oid), column: null, owner };
  const create = grantCommands(target, present, base, serverVersion);
  return create === "" ? [] : [attached("ACL", { oid, owner, create })];
}

function attached(kind: string, { oid, owner, create }: { oid: number; owner: string; create: string }): RawEntry {
  const object = address(catalog.largeObject, oid);
  return attachedEntry({ kind, name: `LARGE OBJECT ${oid}`, owner, create, address: object }, object);
}

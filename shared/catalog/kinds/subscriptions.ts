import { quoteIdent, quoteLiteral } from "../identifiers.ts";
import type { KindContext, KindReader, RawEntry } from "../kind.ts";
import { inScope } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";

interface SubscriptionRow {
  readonly oid: number;
  readonly owner: string;
  readonly publications: string[];
  /** The row of pg_subscription: its columns differ from version to version. */
  readonly row: {
    readonly subname: string;
    readonly subconninfo: string;
    readonly subslotname: string | null;
    readonly subsynccommit: string;
    readonly subbinary: boolean;
    /** True and false before 16; then f off, t on, p parallel. */
    readonly substream: boolean | "f" | "t" | "p";
    /** d disabled, p pending, e enabled. */
    readonly subtwophasestate: string;
    readonly subdisableonerr: boolean;
    readonly subpasswordrequired?: boolean;
    readonly subrunasowner?: boolean;
    readonly subfailover?: boolean;
    readonly suborigin?: string;
  };
}

/** SUBSCRIPTION entries, never connecting when restored; those whose connection is hidden are named by unknown.ts. */
export const subscriptions: KindReader = async (context) => {
  const { session, serverVersion, inUse } = context;
  if (!inUse.has("pg_subscription")) return [];
  const [found] = await session.sql<{ readable: boolean }[]>`
    select count(*) > 0 and ${readableSubscriptions(context)} as readable from pg_subscription s where ${ofDatabase(context)}`;
  if (found?.readable !== true) return [];
  const rows = await session.sql<SubscriptionRow[]>`
    select oid, pg_get_userbyid(subowner) as owner, subpublications as publications, to_json(s) as row
    from pg_subscription s
    where ${ofDatabase(context)} ${inScope(context, catalog.subscription, session.sql`oid`)}`;
  return rows.map((row) => subscriptionEntry(row, serverVersion));
};

/** Whether we may read the connections of subscriptions. */
export function readableSubscriptions({ session }: Pick<KindContext, "session">) {
  return session.sql`has_column_privilege('pg_catalog.pg_subscription', 'subconninfo', 'select')`;
}

/** Restricts pg_subscription `s`, which is shared by the databases of a server, to this database. */
export function ofDatabase({ session }: Pick<KindContext, "session">) {
  return session.sql`s.subdbid = (select oid from pg_database where datname = current_database())`;
}

function subscriptionEntry({ oid, owner, publications, row }: SubscriptionRow, serverVersion: number): RawEntry {
  const name = quoteIdent(row.subname);
  const options = [
    "connect = false",
    `slot_name = ${row.subslotname === null ? "NONE" : quoteLiteral(row.subslotname)}`,
    ...(row.subbinary ? ["binary = true"] : []),
    ...streaming(row.substream, serverVersion),
    ...(row.subtwophasestate === "d" ? [] : ["two_phase = on"]),
    ...(row.subdisableonerr ? ["disable_on_error = true"] : []),
    ...(row.subpasswordrequired === false ? ["password_required = false"] : []),
    ...(row.subrunasowner === true ? ["run_as_owner = true"] : []),
    ...(row.subfailover === true ? ["failover = true"] : []),
    ...(row.subsynccommit === "off" ? [] : [`synchronous_commit = ${quoteIdent(row.subsynccommit)}`]),
    ...(row.suborigin === undefined || row.suborigin.toLowerCase() === "any" ? [] : [`origin = ${row.suborigin}`]),
  ];
  return rawEntry({
    kind: "SUBSCRIPTION",
    name: row.subname,
    owner,
    section: "post-data",
    create:
      `CREATE SUBSCRIPTION ${name} CONNECTION ${quoteLiteral(row.subconninfo)} ` +
      `PUBLICATION ${publications.map(quoteIdent).join(", ")} WITH (${options.join(", ")});\n`,
    drop: `DROP SUBSCRIPTION ${name};\n`,
    address: address(catalog.subscription, oid),
  });
}

/** Since 18 streaming is parallel unless said otherwise, so off is said too. */
function streaming(value: SubscriptionRow["row"]["substream"], serverVersion: number): string[] {
  if (value === true || value === "t") return ["streaming = on"];
  if (value === "p") return ["streaming = parallel"];
  return serverVersion >= 180000 ? ["streaming = off"] : [];
}

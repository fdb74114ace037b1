import { qualified, quoteIdent } from "../../shared/catalog/identifiers.ts";
import type { Entry } from "../../shared/catalog/types.ts";

/** What happens to one object; many of these fail on many objects, which is part of the game. */
type Change = (entry: Entry, number: number) => string;

const name = ({ schema, name }: Entry) => qualified(schema, name);
const table: Record<string, string> = {
  TABLE: "table",
  "FOREIGN TABLE": "foreign table",
  VIEW: "view",
  "MATERIALIZED VIEW": "materialized view",
  SEQUENCE: "sequence",
  INDEX: "index",
  TYPE: "type",
  DOMAIN: "domain",
  SCHEMA: "schema",
  COLLATION: "collation",
  STATISTICS: "statistics",
};

/** `drop` names a function, an operator, a cast as ALTER does too. */
const altered = (entry: Entry) =>
  entry.drop?.startsWith("DROP ")
    ? `alter ${entry.drop.slice("DROP ".length).replace(/(?: CASCADE)?;\s*$/, "")}`
    : `alter ${table[entry.kind]} ${name(entry)}`;
/** The table that a `table name` tag begins with, where neither has a space. */
const ofTable = (entry: Entry) => qualified(entry.schema, entry.name.split(" ")[0]!);

const onAnything: readonly Change[] = [
  (entry) => `${(entry.drop ?? "select 1").replace(/;\s*$/, "")} cascade`,
  (entry, number) => `${altered(entry)} rename to "odd name ${number}"`,
  (entry) => `${altered(entry)} set schema pg_temp`,
  (entry) => `create schema if not exists elsewhere; ${altered(entry)} set schema elsewhere`,
  (entry) => `${altered(entry)} owner to watch_role`,
  (entry, number) => `comment on ${altered(entry).slice("alter ".length)} is 'number ${number}'`,
  (entry) =>
    `grant all on ${entry.kind === "TYPE" || entry.kind === "SCHEMA" ? `${entry.kind} ` : ""}${name(entry)} to watch_role with grant option`,
  (entry) => `revoke all on ${altered(entry).slice("alter ".length)} from public`,
];

const onTables: readonly Change[] = [
  (entry, number) => `alter table ${name(entry)} add column c${number} int default ${number} check (c${number} > 0)`,
  (entry, number) => `alter table ${name(entry)} add column c${number} text generated always as ('x') stored`,
  (entry, number) => `alter table ${name(entry)} add unique (c${number})`,
  (entry, number) => `create index on ${name(entry)} ((row(${name(entry)}.*)::text), (${number}))`,
  (entry) => `alter table ${name(entry)} enable row level security, force row level security`,
  (entry, number) => `create policy "see ${number}" on ${name(entry)} to watch_role using (true)`,
  (entry, number) => `create table public.child${number} () inherits (${name(entry)})`,
  (entry, number) => `create table public.part${number} partition of ${name(entry)} default`,
  (entry, number) => `create view public.view${number} as select * from ${name(entry)}`,
  (entry, number) => `create rule r${number} as on delete to ${name(entry)} do instead nothing`,
  (entry) => `alter table ${name(entry)} set (toast.autovacuum_enabled = off, fillfactor = 70)`,
  (entry) => `alter table ${name(entry)} replica identity full; alter table ${name(entry)} disable trigger all`,
  (entry, number) => `create publication p${number} for table ${name(entry)}`,
  (entry, number) => `create statistics s${number} on (1 + ${number}), (2) from ${name(entry)}`,
  (entry) => `truncate ${name(entry)} cascade`,
  (entry) => `grant select (ctid) on ${name(entry)} to watch_role`,
  (entry) => `comment on table ${name(entry)} is null`,
  (entry, number) =>
    `create domain public.d${number} as int check (value > 0) constraint nn not null; alter table ${name(entry)} add column d${number} public.d${number}`,
  (entry, number) =>
    `create function public.f${number}(${name(entry)}) returns int language sql begin atomic select 1; end`,
  (entry, number) =>
    `create sequence public.s${number}; alter table ${name(entry)} add column s${number} int default nextval('public.s${number}'); alter sequence public.s${number} owned by ${name(entry)}.s${number}`,
];

const ofKind: Readonly<Record<string, readonly Change[]>> = {
  TABLE: onTables,
  "FOREIGN TABLE": onTables,
  SEQUENCE: [
    (entry) => `alter sequence ${name(entry)} owned by none`,
    (entry) => `alter sequence ${name(entry)} increment by 7`,
  ],
  TYPE: [
    (entry, number) => `alter type ${name(entry)} add value 'label ${number}'`,
    (entry, number) => `alter type ${name(entry)} add attribute a${number} int cascade`,
  ],
  DOMAIN: [
    (entry, number) => `alter domain ${name(entry)} add constraint c${number} check (value is not null) not valid`,
    (entry) => `alter domain ${name(entry)} drop not null`,
  ],
  INDEX: [
    (entry) => `alter index ${name(entry)} set (fillfactor = 50)`,
    (entry) => `alter index ${name(entry)} depends on extension plpgsql`,
  ],
  TRIGGER: [(entry) => `alter table ${ofTable(entry)} disable trigger user`],
  DEFAULT: [
    (entry) => entry.drop ?? "",
    (entry) => `alter table ${ofTable(entry)} alter ${quoteIdent(entry.name.split(" ")[1] ?? "")} set default null`,
  ],
  CONSTRAINT: [
    (entry) =>
      `alter table ${ofTable(entry)} rename constraint ${quoteIdent(entry.name.split(" ")[1] ?? "")} to renamed`,
  ],
  "FK CONSTRAINT": [
    (entry) =>
      `alter table ${ofTable(entry)} alter constraint ${quoteIdent(entry.name.split(" ")[1] ?? "")} deferrable`,
  ],
  "CHECK CONSTRAINT": [
    (entry) => `alter table ${ofTable(entry)} validate constraint ${quoteIdent(entry.name.split(" ")[1] ?? "")}`,
  ],
  "TABLE ATTACH": [
    (entry) =>
      entry.create
        .replace(" ONLY ", " ")
        .replace(/ ATTACH PARTITION (.*?) (?:FOR VALUES|DEFAULT).*/s, " detach partition $1"),
  ],
};

const general: readonly string[] = [
  "create role watch_other; alter role watch_role rename to watch_third",
  "alter default privileges grant select on tables to watch_role",
  "create extension if not exists hstore; alter extension hstore drop function hstore_in(cstring)",
  "revoke execute on function pg_catalog.pg_sleep(double precision) from public",
  "alter schema public rename to private",
  "comment on schema public is 'here'",
  "create schema belay; create type belay.hidden as enum ('a'); create table public.uses_hidden (a belay.hidden)",
  "alter schema belay rename to shown",
  "create table public.parent (id int, at date, primary key (id, at)) partition by range (at); create table public.below partition of public.parent for values from ('2020-01-01') to ('2021-01-01'); create table public.refers (id int, at date, foreign key (id, at) references public.parent)",
  "create table public.below2 partition of public.parent for values from ('2021-01-01') to ('2022-01-01')",
  "alter table public.parent detach partition public.below",
  "select lo_create(424242)",
];

/** The SQL of a change picked by three numbers. */
export function change(entries: readonly Entry[], [which, what, number]: readonly [number, number, number]): string {
  const entry = entries[which % Math.max(entries.length, 1)];
  if (entry === undefined || which % 9 === 0) return general[what % general.length]!;
  const all = [...(ofKind[entry.kind] ?? []), ...onAnything];
  return all[what % all.length]!(entry, number);
}
export const changeRoles = ["watch_role"];

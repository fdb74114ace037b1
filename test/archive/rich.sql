-- What archives have to get right besides plain tables.
create role belay_archive_owner;
create type mood as enum ('sad', 'ok', 'happy');
create domain posint as integer check (value > 0);
create schema "Odd Schema";
create table public.no_columns ();
insert into no_columns default values;
insert into no_columns default values;
create table public.no_rows (id integer primary key, note text);
create table "Odd Schema"."Select ""it""" (
  "Order" bigint generated always as identity primary key,
  "from" text not null,
  twice bigint generated always as ("Order" * 2) stored,
  feeling mood default 'ok',
  n posint
);
insert into "Odd Schema"."Select ""it""" ("from", feeling, n)
  select E'tab\there, newline\nhere, backslash \\ and \\. and \r' || i, (array['sad', 'ok', 'happy'])[1 + i % 3]::mood, i
  from generate_series(1, 500) i;
insert into "Odd Schema"."Select ""it""" ("from") values ('\.'), (''), (E'\\N'), ('größe 😀');
create table bytes (id uuid primary key, body bytea, at timestamptz, span interval, price numeric, ratio double precision,
  doc jsonb, tags text[], period tsrange, feelings mood[], kind regclass);
insert into bytes select md5(i::text)::uuid, decode(md5(i::text), 'hex'), '2024-02-29 12:00+02'::timestamptz + i * interval '1 day',
  i * interval '1 month 3 days', i / 7.0, i / 7.0, jsonb_build_object('a', i, 'b', 1.00), array['x', null, 'y,z'],
  tsrange('2024-01-01', null), array['sad', 'happy']::mood[], 'public.no_rows'::regclass from generate_series(1, 300) i;
create table measured (at date not null, city text, degrees real) partition by range (at);
create table measured_2023 partition of measured for values from ('2023-01-01') to ('2024-01-01');
create table measured_rest partition of measured default;
insert into measured select date '2023-06-01' + i, 'city ' || i % 7, i / 3.0 from generate_series(1, 1000) i;
create index on measured (city);
create table parent (id serial primary key, name text);
create table child (extra text) inherits (parent);
insert into parent (name) values ('p1'), ('p2');
insert into child (name, extra) values ('c1', 'e1');
create table node (id integer primary key, up integer references node, measured_at date);
insert into node values (1, 2, null), (2, 1, null), (3, 3, null);
alter table node add constraint odd check (id <> 4) not valid;
create sequence "Odd Schema"."My Seq" start 100 increment by -5 minvalue -1000 maxvalue 1000;
select nextval('"Odd Schema"."My Seq"'), nextval('"Odd Schema"."My Seq"');
create sequence untouched;
create view happy as select * from "Odd Schema"."Select ""it""" where feeling = 'happy';
create materialized view by_city as select city, count(*) as n, avg(degrees)::numeric(10, 3) as degrees from measured group by city;
create unique index on by_city (city);
create materialized view cities as select count(*) as n from by_city;
create materialized view a_first as select n from cities;
create materialized view unfilled as select 1 as one with no data;
create function public.add_one(i integer) returns integer language sql immutable as 'select i + 1';
create function public.touched() returns trigger language plpgsql as 'begin raise exception ''no trigger may fire''; end';
create trigger touched before insert or update on no_rows for each row execute function public.touched();
create trigger on_bytes after insert on bytes for each row execute function public.touched();
create table hidden (id integer primary key, owner_name text);
insert into hidden select i, 'user ' || i from generate_series(1, 50) i;
alter table hidden enable row level security;
alter table hidden force row level security;
create policy own on hidden for select to belay_archive_owner using (owner_name = current_user);
alter table hidden owner to belay_archive_owner;
grant select, insert on measured to belay_archive_owner;
grant select (id) on node to public;
alter default privileges in schema "Odd Schema" grant select on tables to belay_archive_owner;
create unlogged table scratch_pad (id integer);
insert into scratch_pad values (1);
comment on table node is 'points to ''itself''; and \ more';
create statistics public.node_stats on id, up from node;

-- One of each code-like object that a server without libraries of our own allows.
create schema code;
create schema "Odd Code";
create schema other;
create extension hstore schema public;
create extension dict_int schema public;
create extension unaccent schema public;
grant usage on schema code to belay_bob;
create function code.lang_handler() returns language_handler language c as '$libdir/plpgsql', 'plpgsql_call_handler';
create function code.lang_inline(internal) returns void language c strict as '$libdir/plpgsql', 'plpgsql_inline_handler';
create function code.lang_check(oid) returns void language c strict as '$libdir/plpgsql', 'plpgsql_validator';
create trusted language plcode handler code.lang_handler inline code.lang_inline validator code.lang_check;
comment on language plcode is 'plpgsql''s twin';
alter language plcode owner to belay_alice;
revoke usage on language plcode from public; grant usage on language plcode to belay_bob;
create language "PL Code" handler code.lang_handler;
create language plhalf handler code.lang_handler validator code.lang_check;
create function code.in_twin(a int) returns int language plcode as $$ begin return a; end $$;
create function code.in_odd() returns int language "PL Code" as $$ begin return 1; end $$;

create collation code.from_c from "C";
create collation code.libc_both (provider = libc, locale = 'C.utf8');
create collation code.libc_two (lc_collate = 'C', lc_ctype = 'POSIX');
create collation code.icu_plain (provider = icu, locale = 'de-u-co-phonebk');
create collation "Odd Code"."Ignore Case" (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
alter collation code.icu_plain owner to belay_alice;
comment on collation "Odd Code"."Ignore Case" is 'not deterministic';
create table code.sorted (a text collate code.from_c, b text collate "Odd Code"."Ignore Case" unique);
create type code.sorted_pair as (a text collate "Odd Code"."Ignore Case", b varchar(3) collate "C");
comment on column code.sorted_pair.b is 'three';
create table code.typed of code.sorted_pair (primary key (a), b default 'x');
create domain code.sorted_text as text collate code.icu_plain;
create index on code.sorted (a collate code.icu_plain);
create view code.sorted_view as select a collate "Odd Code"."Ignore Case" as x from code.sorted where a < 'b' collate code.libc_two;
create type code.sorted_range as range (subtype = text, collation = code.libc_both, multirange_type_name = "Odd Code"."Many");

create type code.shell_only;
comment on type code.shell_only is 'only announced';
create type code.base;
create function code.base_in(cstring) returns code.base language internal immutable strict as 'int4in';
create function code.base_out(code.base) returns cstring language internal immutable strict as 'int4out';
create type code.base (input = code.base_in, output = code.base_out, like = int4);
comment on type code.base is 'int4 again';
alter type code.base owner to belay_alice;
grant usage on type code.base to belay_bob; revoke usage on type code.base from public;
create type "Odd Code"."Text Type";
create function "Odd Code"."Text In"(cstring) returns "Odd Code"."Text Type" language internal immutable strict as 'textin';
create function "Odd Code"."Text Out"("Odd Code"."Text Type") returns cstring language internal immutable strict as 'textout';
create function "Odd Code".text_recv(internal) returns "Odd Code"."Text Type" language internal stable strict as 'textrecv';
create function "Odd Code".text_send("Odd Code"."Text Type") returns bytea language internal stable strict as 'textsend';
create function code.mod_in(cstring[]) returns int language internal immutable strict as 'varchartypmodin';
create function code.mod_out(int) returns cstring language internal immutable strict as 'varchartypmodout';
create function code.typanalyze(internal) returns boolean language internal as 'ts_typanalyze';
create type "Odd Code"."Text Type" (input = "Odd Code"."Text In", output = "Odd Code"."Text Out", receive = "Odd Code".text_recv,
  send = "Odd Code".text_send, typmod_in = code.mod_in, typmod_out = code.mod_out, analyze = code.typanalyze, internallength = variable,
  alignment = int4, storage = external, category = 'x', preferred = true, default = 'it''s', delimiter = ';', collatable = true);
create type code.vector;
create function code.vector_in(cstring, oid, int) returns code.vector language internal immutable strict as 'point_in';
create function code.vector_out(code.vector) returns cstring language internal immutable strict as 'point_out';
create type code.vector (input = code.vector_in, output = code.vector_out, internallength = 16, alignment = double, element = float8, subscript = raw_array_subscript_handler);
create type code.flag;
create function code.flag_in(cstring) returns code.flag language internal immutable strict as 'boolin';
create function code.flag_out(code.flag) returns cstring language internal immutable strict as 'boolout';
create type code.flag (input = code.flag_in, output = code.flag_out, internallength = 1, passedbyvalue, alignment = char, storage = plain, category = 'B');
create table code.holds (a code.base, b code.base[], c "Odd Code"."Text Type"(5), d code.vector, e code.flag default 'true');
create function code.takes_many(code.base[], code.flag) returns code.vector language sql as 'select null::code.vector';
create type code.steps;
create function code.steps_canonical(code.steps) returns code.steps language internal immutable strict as 'int4range_canonical';
create function code.steps_diff(int, int) returns float8 language internal immutable strict as 'int4range_subdiff';
create type code.steps as range (subtype = int4, canonical = code.steps_canonical, subtype_diff = code.steps_diff, multirange_type_name = code.many_steps);
create table code.walks (way code.steps, ways code.many_steps, exclude using gist (way with &&));

create function code.base_eq(code.base, code.base) returns boolean language internal immutable strict as 'int4eq';
create function code.base_ne(code.base, code.base) returns boolean language internal immutable strict as 'int4ne';
create function code.base_lt(code.base, code.base) returns boolean language internal immutable strict as 'int4lt';
create function code.base_le(code.base, code.base) returns boolean language internal immutable strict as 'int4le';
create function code.base_gt(code.base, code.base) returns boolean language internal immutable strict as 'int4gt';
create function code.base_ge(code.base, code.base) returns boolean language internal immutable strict as 'int4ge';
create function code.base_cmp(code.base, code.base) returns int language internal immutable strict as 'btint4cmp';
create function code."Base Hash"(code.base) returns int language internal immutable strict as 'hashint4';
create function code.base_hash_more(code.base, bigint) returns bigint language internal immutable strict as 'hashint4extended';
create function code.base_minus(code.base) returns code.base language internal immutable strict as 'int4um';
create operator code.= (leftarg = code.base, rightarg = code.base, function = code.base_eq, commutator = operator(code.=), negator = operator(code.<>),
  restrict = eqsel, join = eqjoinsel, hashes, merges);
create operator code.<> (leftarg = code.base, rightarg = code.base, function = code.base_ne, commutator = operator(code.<>), negator = operator(code.=), restrict = neqsel, join = neqjoinsel);
create operator code.< (leftarg = code.base, rightarg = code.base, function = code.base_lt, commutator = operator(code.>), negator = operator(code.>=), restrict = scalarltsel, join = scalarltjoinsel);
create operator code.<= (leftarg = code.base, rightarg = code.base, function = code.base_le, commutator = operator(code.>=), negator = operator(code.>));
create operator code.> (leftarg = code.base, rightarg = code.base, function = code.base_gt, commutator = operator(code.<), negator = operator(code.<=));
create operator code.>= (leftarg = code.base, rightarg = code.base, function = code.base_ge, commutator = operator(code.<=), negator = operator(code.<));
create operator code.- (rightarg = code.base, function = code.base_minus);
create operator "Odd Code".|%| (leftarg = code.base, rightarg = code.base, function = code.base_eq, commutator = operator(other.|%|));
create operator other.@+ (leftarg = int, rightarg = int, function = int4pl);
comment on operator code.- (none, code.base) is 'unary';
comment on operator code.= (code.base, code.base) is 'equal';
alter operator code.<> (code.base, code.base) owner to belay_alice;

create operator family code.empty_family using hash;
comment on operator family code.empty_family using hash is 'empty';
create operator family "Odd Code"."Base Family" using btree;
alter operator family "Odd Code"."Base Family" using btree owner to belay_alice;
create operator class code.base_ops default for type code.base using btree family "Odd Code"."Base Family" as
  operator 1 code.<, operator 2 code.<=, operator 3 code.=, operator 4 code.>=, operator 5 code.>, function 1 code.base_cmp(code.base, code.base),
  function 4 (code.base, code.base) btequalimage(oid), function 2 (code.base, code.base) btint4sortsupport(internal);
comment on operator class code.base_ops using btree is 'ordered';
create operator class "Odd Code"."Base Hash" default for type code.base using hash as operator 1 code.=, function 1 code."Base Hash"(code.base), function 2 code.base_hash_more(code.base, bigint);
alter operator class "Odd Code"."Base Hash" using hash owner to belay_alice;
create function code.cross_lt(code.base, bigint) returns boolean language internal immutable strict as 'int48lt';
create function code.cross_eq(code.base, bigint) returns boolean language internal immutable strict as 'int48eq';
create function code.cross_cmp(code.base, bigint) returns int language internal immutable strict as 'btint48cmp';
create operator code.< (leftarg = code.base, rightarg = bigint, function = code.cross_lt);
create operator code.= (leftarg = code.base, rightarg = bigint, function = code.cross_eq);
alter operator family "Odd Code"."Base Family" using btree add operator 3 code.= (code.base, bigint), operator 1 code.< (code.base, bigint),
  function 1 (code.base, bigint) code.cross_cmp(code.base, bigint);
create operator class code.by_distance for type point using gist as operator 15 <-> (point, point) for order by float_ops, operator 1 <<,
  function 1 gist_point_consistent(internal, point, smallint, oid, internal), function 2 gist_box_union(internal, internal),
  function 3 gist_point_compress(internal), function 5 gist_box_penalty(internal, internal, internal), function 6 gist_box_picksplit(internal, internal),
  function 7 gist_box_same(box, box, internal), function 8 gist_point_distance(internal, point, smallint, oid, internal), storage box;
create operator class code.bare for type int using hash family code.empty_family as storage int;
create table code.ordered (a code.base primary key, b point, c code.base check (c operator(code.>) '3'::code.base), d boolean generated always as (c operator(code.=) '4'::code.base) stored);
create index on code.ordered using gist (b code.by_distance);
create index on code.ordered using hash (c "Odd Code"."Base Hash");
create table code.refers (a code.base references code.ordered);
create table code.split (a code.base, b int) partition by hash (a "Odd Code"."Base Hash");
create table code.split_0 partition of code.split for values with (modulus 1, remainder 0);
create view code.compared as select * from code.ordered where a operator(code.<) 7::bigint order by c using operator(code.<);
create function code.smaller(code.base, code.base) returns code.base language internal immutable strict as 'int4smaller';
create aggregate code.least(code.base) (sfunc = code.smaller, stype = code.base, sortop = operator(code.<));
create function code.gathers(internal, code.base) returns internal language internal as 'ordered_set_transition_multi';
create function code.rank_of(internal, code.base, code.base) returns bigint language internal as 'hypothetical_rank_final';
create aggregate "Odd Code"."First One"("The Order" code.base order by "Its Order" code.base) (sfunc = code.gathers, stype = internal, finalfunc = code.rank_of, finalfunc_extra, finalfunc_modify = shareable, hypothetical, parallel = safe);
create function code.compares(a code.base, b code.base default '5') returns boolean begin atomic select a operator(code.=) b; end;

create conversion code.latin for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
create default conversion "Odd Code"."Other Latin" for 'UTF8' to 'LATIN1' from utf8_to_iso8859_1;
comment on conversion code.latin is 'latin'; alter conversion code.latin owner to belay_alice;

create text search parser code.splits (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype, headline = prsd_headline);
create text search parser "Odd Code"."No Headline" (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
comment on text search parser code.splits is 'words';
create text search template code.plain (init = dsimple_init, lexize = dsimple_lexize);
create text search template "Odd Code"."Lexize Only" (lexize = dsimple_lexize);
comment on text search template code.plain is 'plain';
create text search dictionary code.simple (template = pg_catalog.simple, stopwords = 'english', accept = false);
create text search dictionary code.own (template = code.plain);
create text search dictionary "Odd Code"."Of Extension" (template = public.intdict_template, maxlen = 4, rejectlong = 'true');
create text search dictionary code.stem (template = snowball, language = 'english', stopwords = 'english');
comment on text search dictionary code.own is 'own'; alter text search dictionary code.own owner to belay_alice;
create text search configuration code.english (copy = pg_catalog.english);
alter text search configuration code.english alter mapping for asciiword, word, hword_asciipart with "Odd Code"."Of Extension", public.unaccent, code.simple, english_stem;
alter text search configuration code.english drop mapping for url, url_path;
create text search configuration "Odd Code"."No Mapping" (parser = "Odd Code"."No Headline");
create text search configuration code.split_words (parser = code.splits);
alter text search configuration code.split_words add mapping for asciiword, "float" with code.own;
alter text search configuration code.split_words add mapping for word with code.stem, simple;
comment on text search configuration code.english is 'english'; alter text search configuration code.english owner to belay_alice;
create table code.documents (body text, words tsvector generated always as (to_tsvector('code.english'::regconfig, body)) stored);
create index on code.documents using gin (to_tsvector('"Odd Code"."No Mapping"', body));

create access method code_heap type table handler heap_tableam_handler;
create access method "Code Gist" type index handler gisthandler;
comment on access method "Code Gist" is 'gist again';
create table code.kept (a int) using code_heap;
create materialized view code.kept_view using code_heap as select 1 as a;
create operator class code.box_ops default for type box using "Code Gist" as operator 1 <<, operator 3 &&,
  function 1 gist_box_consistent(internal, box, smallint, oid, internal), function 2 gist_box_union(internal, internal),
  function 5 gist_box_penalty(internal, internal, internal), function 6 gist_box_picksplit(internal, internal), function 7 gist_box_same(box, box, internal);
create table code.boxes (b box);
create index on code.boxes using "Code Gist" (b);

create function code.from_base(internal) returns internal language internal stable strict as 'int4recv';
create function code.to_base(internal) returns code.base language internal stable strict as 'int4recv';
create transform for int language sql (from sql with function prsd_lextype(internal), to sql with function int4recv(internal));
create transform for code.base language plcode (from sql with function code.from_base(internal), to sql with function code.to_base(internal));
create transform for "Odd Code"."Text Type" language "PL Code" (from sql with function code.from_base(internal));
comment on transform for code.base language plcode is 'both ways';
create function code.transformed(int) returns int transform for type int language sql as 'select $1';
create function code.both_transformed(code.base, b int) returns code.base transform for type code.base language plcode immutable as $$ begin return a; end $$;

create function code.to_text("Odd Code"."Text Type", int, boolean) returns text language internal immutable strict as 'varchar';
create function code.row_text(code.holds) returns text language sql as $$ select 'row' $$;
create cast (code.base as int) without function as implicit;
create cast (int as code.base) without function as assignment;
create cast (code.flag as text) with inout as assignment;
create cast (text as code.flag) with inout;
create cast ("Odd Code"."Text Type" as text) with function code.to_text("Odd Code"."Text Type", int, boolean) as implicit;
create cast (timestamp with time zone as interval) with function pg_catalog.age(timestamp with time zone) as assignment;
create cast (code.holds as text) with function code.row_text(code.holds);
comment on cast (code.base as int) is 'same bytes';
comment on cast (timestamp with time zone as interval) is 'age';

create function code.with_extension() returns int language sql as 'select 1';
alter function code.with_extension() depends on extension dict_int;
alter function code.with_extension() depends on extension hstore;
create procedure "Odd Code"."Proc Of"(inout a code.base, b "Odd Code"."Text Type" default 'x') language plpgsql set temp_tablespaces = '' set search_path = pg_catalog, "Odd Code" set "other.x" = '' as $$ begin end $$;
alter procedure "Odd Code"."Proc Of" depends on extension hstore;
revoke execute on procedure "Odd Code"."Proc Of" from public;
create function code.watches() returns event_trigger language plpgsql as $$ begin end $$;
create event trigger "Watches All" on ddl_command_end when tag in ('CREATE TABLE', 'CREATE CAST') execute function code.watches();
alter event trigger "Watches All" disable; alter event trigger "Watches All" owner to postgres;
comment on event trigger "Watches All" is 'sees';
create materialized view code.late_view as select a from code.ordered group by a;
alter materialized view code.late_view depends on extension hstore;

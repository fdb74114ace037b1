-- Foreign data, publications and subscriptions with every oddity that their readers must word as pg_dump does.
-- Runs on PostgreSQL 15 and newer. The roles odd_amy and "odd Zed" must exist.
CREATE SCHEMA far;
CREATE SCHEMA "Far Away";
SET search_path = far;
CREATE EXTENSION postgres_fdw WITH SCHEMA far;
CREATE EXTENSION file_fdw WITH SCHEMA far;

-- Wrappers
CREATE FOREIGN DATA WRAPPER plain;
CREATE FOREIGN DATA WRAPPER "Odd Wrapper" HANDLER far.postgres_fdw_handler VALIDATOR far.postgres_fdw_validator;
CREATE FOREIGN DATA WRAPPER validated NO HANDLER VALIDATOR pg_catalog.postgresql_fdw_validator;
CREATE FOREIGN DATA WRAPPER optioned OPTIONS (zebra 'last', "Mixed Case" 'it''s', apple E'back\\slash', empty '', "multi" E'two\nlines');
ALTER FOREIGN DATA WRAPPER plain OWNER TO CURRENT_USER;
COMMENT ON FOREIGN DATA WRAPPER "Odd Wrapper" IS 'it''s a wrapper';
GRANT USAGE ON FOREIGN DATA WRAPPER plain TO odd_amy WITH GRANT OPTION;
GRANT USAGE ON FOREIGN DATA WRAPPER "Odd Wrapper" TO PUBLIC;
SET ROLE odd_amy;
GRANT USAGE ON FOREIGN DATA WRAPPER plain TO "odd Zed";
RESET ROLE;
GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO odd_amy;

-- Servers
CREATE SERVER plain_server FOREIGN DATA WRAPPER plain;
CREATE SERVER "Odd Server" TYPE 'it''s' VERSION '1.0 beta' FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'far.example', dbname 'x y', port '5433', fdw_tuple_cost '0.5');
CREATE SERVER optioned_server TYPE '' VERSION '2' FOREIGN DATA WRAPPER optioned OPTIONS ("b c" 'd', a 'e');
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE SERVER odd_server FOREIGN DATA WRAPPER "Odd Wrapper" OPTIONS (host 'h');
COMMENT ON SERVER "Odd Server" IS 'far away';
ALTER SERVER plain_server OWNER TO odd_amy;
GRANT USAGE ON FOREIGN SERVER "Odd Server" TO odd_amy, "odd Zed" WITH GRANT OPTION;
REVOKE ALL ON FOREIGN SERVER plain_server FROM odd_amy;
GRANT USAGE ON FOREIGN SERVER plain_server TO PUBLIC;

-- User mappings
CREATE USER MAPPING FOR PUBLIC SERVER "Odd Server" OPTIONS (user 'guest');
CREATE USER MAPPING FOR odd_amy SERVER "Odd Server" OPTIONS (user 'amy', password 'secret '' \ quote');
CREATE USER MAPPING FOR "odd Zed" SERVER plain_server;
CREATE USER MAPPING FOR CURRENT_USER SERVER optioned_server OPTIONS ("Odd option" 'x', b 'y');

-- Foreign tables
CREATE FOREIGN TABLE bare (id integer) SERVER plain_server;
CREATE FOREIGN TABLE none () SERVER plain_server;
CREATE FOREIGN TABLE "Odd Table" (id integer OPTIONS (column_name 'ID') NOT NULL, "Na me" text OPTIONS (column_name 'it''s') COLLATE "C" DEFAULT 'a''b',
  price numeric(10, 2) CHECK (price > 0), doubled numeric GENERATED ALWAYS AS (price * 2) STORED,
  CONSTRAINT "both" CHECK (id > 0 AND price < 100)) SERVER "Odd Server" OPTIONS (schema_name 'shop', table_name 'Odd "Table"', fetch_size '50');
ALTER FOREIGN TABLE "Odd Table" ADD CONSTRAINT late CHECK (id <> 5) NOT VALID;
ALTER FOREIGN TABLE "Odd Table" ALTER COLUMN id SET STATISTICS 100, ALTER COLUMN "Na me" SET (n_distinct = 5), ALTER COLUMN "Na me" SET STORAGE EXTERNAL;
COMMENT ON FOREIGN TABLE "Odd Table" IS 'foreign';
COMMENT ON COLUMN "Odd Table"."Na me" IS 'a column';
COMMENT ON CONSTRAINT "both" ON "Odd Table" IS 'a check';
GRANT SELECT, INSERT ON "Odd Table" TO odd_amy WITH GRANT OPTION;
GRANT UPDATE (id), SELECT ("Na me") ON "Odd Table" TO "odd Zed";
ALTER FOREIGN TABLE "Odd Table" OWNER TO odd_amy;
CREATE FUNCTION far_count("Odd Table") RETURNS integer LANGUAGE sql AS 'SELECT 1';
ALTER FOREIGN TABLE bare ADD COLUMN counted integer DEFAULT 1;
CREATE FUNCTION bare_next() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT coalesce(max(id), 0) + 1 FROM bare; END;
ALTER FOREIGN TABLE bare ALTER COLUMN id SET DEFAULT bare_next();
CREATE SEQUENCE far_seq;
CREATE FOREIGN TABLE numbered (id bigint DEFAULT nextval('far_seq')) SERVER "Odd Server";
ALTER SEQUENCE far_seq OWNED BY numbered.id;
CREATE VIEW over_foreign AS SELECT id, "Na me" FROM "Odd Table";
CREATE MATERIALIZED VIEW kept AS SELECT id FROM "Odd Table" WITH NO DATA;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE INSERT ON "Odd Table" FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER off BEFORE UPDATE ON "Odd Table" FOR EACH ROW EXECUTE FUNCTION touch();
ALTER FOREIGN TABLE "Odd Table" DISABLE TRIGGER off;
CREATE TRIGGER always BEFORE DELETE ON "Odd Table" FOR EACH ROW EXECUTE FUNCTION touch();
ALTER FOREIGN TABLE "Odd Table" ENABLE ALWAYS TRIGGER always;

-- Inheritance and partitions over servers
CREATE TABLE local_parent (id integer NOT NULL, name text DEFAULT 'x', CONSTRAINT parent_check CHECK (id > 0));
CREATE FOREIGN TABLE far_child (extra integer OPTIONS (column_name 'e')) INHERITS (local_parent) SERVER "Odd Server";
ALTER FOREIGN TABLE far_child ALTER COLUMN name SET NOT NULL;
ALTER FOREIGN TABLE far_child ALTER COLUMN id OPTIONS (column_name 'other');
ALTER FOREIGN TABLE far_child ALTER COLUMN name DROP DEFAULT;
CREATE FOREIGN TABLE far_parent (a integer, b text) SERVER "Odd Server";
CREATE TABLE local_child (c integer) INHERITS (far_parent);
CREATE TABLE split (k integer NOT NULL, v text DEFAULT 'd', n integer GENERATED ALWAYS AS (k + 1) STORED, CONSTRAINT split_check CHECK (k < 1000)) PARTITION BY RANGE (k);
CREATE TABLE split_here PARTITION OF split FOR VALUES FROM (0) TO (10);
CREATE FOREIGN TABLE split_far PARTITION OF split FOR VALUES FROM (10) TO (20) SERVER "Odd Server" OPTIONS (table_name 'split');
CREATE FOREIGN TABLE "Far Away".split_rest PARTITION OF split (v DEFAULT 'far' NOT NULL, CONSTRAINT own CHECK (v <> '')) DEFAULT SERVER odd_server;
CREATE TRIGGER row_trigger AFTER INSERT ON split FOR EACH ROW EXECUTE FUNCTION touch();

-- Publications
CREATE TABLE published (id integer PRIMARY KEY, "Na me" text, secret text);
CREATE TABLE parts (id integer, at date) PARTITION BY RANGE (at);
CREATE PUBLICATION "Odd Pub" FOR TABLE published ("Na me", id) WHERE (id > 10 AND "Na me" <> 'it''s'), ONLY parts WITH (publish = 'insert, delete', publish_via_partition_root = true);
CREATE PUBLICATION all_of_it FOR ALL TABLES WITH (publish = 'truncate');
CREATE PUBLICATION of_schemas FOR TABLES IN SCHEMA far, "Far Away", TABLE published;
CREATE PUBLICATION empty_pub WITH (publish = '');
ALTER PUBLICATION empty_pub OWNER TO CURRENT_USER;
COMMENT ON PUBLICATION all_of_it IS 'all';

-- Subscriptions
CREATE SUBSCRIPTION "Odd Sub" CONNECTION 'host=far.example password=it''s dbname=x' PUBLICATION "Odd Pub", second WITH (connect = false, slot_name = 'odd_slot', binary = true, streaming = on, synchronous_commit = 'remote_apply', two_phase = true, disable_on_error = true);
CREATE SUBSCRIPTION plain_sub CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE, streaming = off);
COMMENT ON SUBSCRIPTION plain_sub IS 'never connects';

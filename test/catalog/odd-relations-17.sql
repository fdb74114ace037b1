-- What only PostgreSQL 17 and newer have.
CREATE SCHEMA seventeen;
SET search_path = seventeen;
CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA seventeen;

-- Exclusion constraints on partitioned tables: no index can be attached to theirs
CREATE TABLE rooms (room integer, during tsrange, seats integer, CONSTRAINT "no overlap" EXCLUDE USING gist (room WITH =, during WITH &&)) PARTITION BY LIST (room);
CREATE TABLE rooms_1 PARTITION OF rooms FOR VALUES IN (1);
CREATE TABLE rooms_2 PARTITION OF rooms FOR VALUES IN (2) PARTITION BY LIST (room);
CREATE TABLE "Rooms 2" PARTITION OF rooms_2 FOR VALUES IN (2);
ALTER TABLE rooms_1 RENAME CONSTRAINT rooms_1_room_during_excl TO "Own name";
ALTER TABLE rooms_1 CLUSTER ON "Own name";
COMMENT ON CONSTRAINT "Own name" ON rooms_1 IS 'of a partition';
CREATE TABLE rooms_3 (room integer, during tsrange, seats integer, EXCLUDE USING gist (seats WITH =));
ALTER TABLE rooms ATTACH PARTITION rooms_3 FOR VALUES IN (3);

-- Access methods and identity of partitioned tables, the MAINTAIN privilege
CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE methodical (id bigint GENERATED ALWAYS AS IDENTITY (START 7), k integer) PARTITION BY LIST (k) USING heap2;
CREATE TABLE methodical_1 PARTITION OF methodical FOR VALUES IN (1);
CREATE TABLE methodical_2 PARTITION OF methodical FOR VALUES IN (2) USING heap;
CREATE TABLE unmethodical (k integer) PARTITION BY LIST (k);
ALTER TABLE unmethodical SET ACCESS METHOD heap2;
GRANT MAINTAIN ON methodical TO pg_monitor WITH GRANT OPTION;
GRANT ALL ON methodical_1 TO pg_monitor;
REVOKE MAINTAIN ON unmethodical FROM CURRENT_USER;
ALTER DEFAULT PRIVILEGES IN SCHEMA seventeen GRANT MAINTAIN ON TABLES TO pg_monitor;

-- Events of logging in, collations of the server's own provider, statistics targets
CREATE FUNCTION on_login() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER logging_in ON login EXECUTE FUNCTION on_login();
ALTER EVENT TRIGGER logging_in DISABLE;
CREATE COLLATION own (provider = builtin, locale = 'C.UTF-8');
CREATE TABLE aimed (a text COLLATE own, b integer);
ALTER TABLE aimed ALTER a SET STATISTICS DEFAULT, ALTER b SET STATISTICS 0;
CREATE STATISTICS aim ON a, b FROM aimed;
ALTER STATISTICS aim SET STATISTICS DEFAULT;

-- Belay's own schema: ledger, snapshots, archives, rollbacks, drills, webhooks, audit.
-- Installs on Supabase and on plain Postgres 15 to 18. Never in its own ledger.

create schema belay;
comment on schema belay is 'Belay: rolls back migrations without losing a row. Not exposed to the Data API.';
revoke all on schema belay from public;

create table belay.migration_history (
  id uuid primary key default gen_random_uuid(),
  migration_name text not null unique,
  migration_version text not null,
  applied_at timestamptz default now(),
  applied_by text default current_user,
  rollback_sql text,
  checksum text not null check (checksum ~ '^[0-9a-f]{64}$'),
  status text not null default 'applied' check (status in ('applied', 'rolled_back', 'failed')),
  rollback_at timestamptz,
  rollback_by text,
  notes text,
  metadata jsonb not null default '{}'
);
comment on table belay.migration_history is 'The ledger: what is applied, its rollback SQL, checksum and status.';
create index migration_history_version on belay.migration_history (migration_version);

-- Every registered text of a migration; the highest revision is the current one.
create table belay.migration_revisions (
  migration_name text not null references belay.migration_history (migration_name) on delete cascade,
  revision integer not null,
  forward_sql text not null,
  rollback_sql text,
  verify_sql text,
  checksum text not null,
  file_checksum text not null,
  source_file text not null,
  layout text not null,
  created_at timestamptz not null default now(),
  created_by text not null,
  primary key (migration_name, revision)
);

create table belay.migration_dependencies (
  id uuid primary key default gen_random_uuid(),
  migration_name text not null references belay.migration_history (migration_name) on delete cascade,
  depends_on text not null references belay.migration_history (migration_name) on delete cascade,
  found text not null default 'declared' check (found in ('declared', 'catalog')),
  why text not null default '',
  created_at timestamptz not null default now(),
  unique (migration_name, depends_on)
);

-- Entries are stored once, by the hash of all that is stored.
create table belay.snapshot_entries (
  id integer generated always as identity primary key,
  stored_hash text not null unique,
  key text not null,
  kind text not null,
  -- of what creates the object, without its dependencies: by it two entries of a key are equal.
  hash text not null,
  entry jsonb not null
);
-- Keys may be longer than a btree takes.
create index snapshot_entries_key on belay.snapshot_entries using hash (key);

-- All entries of a database at a moment, once for every snapshot that found it so: what came and went since another
-- state, and from time to time the whole list.
create table belay.snapshot_states (
  id integer generated always as identity primary key,
  digest text not null,
  previous integer references belay.snapshot_states (id),
  added integer[] not null default '{}',
  removed integer[] not null default '{}',
  -- null: those of `previous`, less `removed`, with `added`.
  entries integer[],
  -- states, and entries that changed, since the last whole list.
  depth integer not null default 0,
  weight integer not null default 0,
  check (previous is not null or entries is not null)
);
create index snapshot_states_digest on belay.snapshot_states (digest);

create table belay.snapshots (
  id uuid primary key default gen_random_uuid(),
  migration_name text references belay.migration_history (migration_name) on delete cascade,
  moment text not null check (moment in ('before', 'after', 'manual')),
  -- live: read from this database. replayed: read from a scratch database that ended equal to this one.
  -- sql: by create_migration_snapshot, which the next sync makes live if nothing changed since.
  origin text not null default 'live' check (origin in ('live', 'replayed', 'sql')),
  description text not null default '',
  digest text not null,
  -- null while origin is sql.
  state integer references belay.snapshot_states (id),
  -- digests by object, of create_migration_snapshot.
  account jsonb,
  -- objects that the reader could not write.
  unknown jsonb not null default '[]',
  created_at timestamptz not null default clock_timestamp(),
  created_by text not null default current_user
);
create index snapshots_migration on belay.snapshots (migration_name, moment, created_at desc);

-- What each migration changed: the entries in which its newest snapshots differ.
create table belay.migration_changes (
  migration_name text not null references belay.migration_history (migration_name) on delete cascade,
  key text not null,
  kind text not null,
  -- null: made by the migration.
  before_entry integer references belay.snapshot_entries (id),
  -- null: removed by it.
  after_entry integer references belay.snapshot_entries (id),
  before_hash text,
  after_hash text
);
create index migration_changes_migration on belay.migration_changes (migration_name);
create index migration_changes_key on belay.migration_changes using hash (key);

-- The server's counters of row writes, read when migrations were registered: a plan tells from them what was written since.
create table belay.counter_readings (
  id bigint generated always as identity primary key,
  migrations text[] not null,
  read_at timestamptz not null default clock_timestamp(),
  -- of pg_stat_database: another one later means that the counters began anew.
  stats_reset timestamptz,
  -- rows inserted, updated and deleted so far, by oid of the table.
  counters jsonb not null
);
create index counter_readings_migrations on belay.counter_readings using gin (migrations);

create table belay.archives (
  id text primary key,
  purpose text not null check (purpose in ('rollback', 'dump', 'undo', 'quarantine')),
  store_url text not null,
  migration_name text,
  rollback_id uuid,
  manifest_sha256 text not null,
  bytes bigint not null,
  rows bigint not null,
  snapshot_at timestamptz not null,
  verified_at timestamptz not null,
  created_at timestamptz not null default now(),
  created_by text not null
);

create table belay.rollbacks (
  id uuid primary key default gen_random_uuid(),
  kind text not null default 'rollback' check (kind in ('rollback', 'undo')),
  migration_name text not null,
  undoes uuid references belay.rollbacks (id),
  -- intended: begun, outcome not yet known; a killed process leaves it so.
  outcome text not null default 'intended' check (outcome in ('intended', 'committed', 'failed', 'undone', 'unknown')),
  plan_hash text not null,
  plan jsonb not null,
  reason text not null,
  actor text not null,
  archive_id text,
  report jsonb,
  error_code text,
  error_message text,
  error_hint text,
  -- transaction id of the rollback, to settle a lost COMMIT answer with pg_xact_status.
  xid text,
  backend_pid integer,
  started_at timestamptz not null default now(),
  finished_at timestamptz
);
create index rollbacks_migration on belay.rollbacks (migration_name, started_at desc);

-- What happened in a rollback or an undo and around it, hooks and health checks too: its timeline.
create table belay.rollback_events (
  id bigint generated always as identity primary key,
  rollback_id uuid not null references belay.rollbacks (id) on delete cascade,
  at timestamptz not null,
  event text not null,
  state text not null check (state in ('done', 'failed', 'skipped')),
  evidence text not null default '',
  -- results of hooks and health checks: hosts and statuses, never answers.
  details jsonb not null default '{}'
);
create index rollback_events_rollback on belay.rollback_events (rollback_id, at, id);

-- Incident reports as they were written at the end; `belay incident` makes them anew from the records.
create table belay.incidents (
  rollback_id uuid primary key references belay.rollbacks (id) on delete cascade,
  incident jsonb not null,
  -- where in the store it lies too; null: not there.
  stored_at text,
  written_at timestamptz not null default clock_timestamp()
);

-- One row that applications may read, through belay.maintenance_now().
create table belay.maintenance (
  singleton boolean primary key default true check (singleton),
  active boolean not null default false,
  reason text not null default '',
  since timestamptz,
  -- past it the row counts no more, whatever it says: a killed process leaves nobody locked out.
  expected_until timestamptz,
  -- null: switched on by a person.
  rollback_id uuid,
  set_by text not null default ''
);
insert into belay.maintenance default values;

create table belay.proofs (
  id uuid primary key default gen_random_uuid(),
  migration_name text not null,
  -- of the forward part, as in the ledger.
  checksum text not null,
  -- sha256 (hex) of the rollback SQL that was rehearsed; null without any.
  rollback_checksum text,
  verdict text not null,
  loses jsonb not null default '[]',
  differences jsonb not null default '[]',
  -- sha256 (hex) over all that the proof rests on: the forward SQL up to here, the rollback SQL, the settings.
  chain text,
  -- what the server was: 17, or embedded-17.
  server text,
  recorded_by text,
  created_at timestamptz not null default now()
);
create unique index proofs_chain on belay.proofs (migration_name, chain, created_at);
create index proofs_migration on belay.proofs (migration_name, created_at desc);

create table belay.schedules (
  name text primary key,
  cron text not null,
  archive_choice text not null default 'latest' check (archive_choice in ('latest', 'random')),
  enabled boolean not null default true,
  created_at timestamptz not null default now()
);

create table belay.drills (
  id uuid primary key default gen_random_uuid(),
  archive_id text not null,
  schedule_name text,
  -- the minute the schedule fell due: one drill per schedule and minute, however many ticks arrive.
  due_at timestamptz,
  verdict text not null default 'running' check (verdict in ('running', 'pass', 'backup_bad', 'environment_mismatch', 'inconclusive')),
  scratch_database text,
  phases jsonb not null default '[]',
  summary text not null default '',
  actor text not null,
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  unique (schedule_name, due_at)
);

create table belay.drill_checks (
  drill_id uuid not null references belay.drills (id) on delete cascade,
  position integer not null,
  name text not null,
  state text not null check (state in ('passed', 'failed', 'skipped', 'unknown')),
  evidence text not null,
  milliseconds double precision not null,
  primary key (drill_id, position)
);

create table belay.deployments (
  id uuid primary key default gen_random_uuid(),
  platform text not null,
  external_id text not null,
  status text not null check (status in ('succeeded', 'failed', 'other')),
  target text,
  occurred_at timestamptz not null,
  payload_sha256 text not null,
  -- plans recorded for a failed deployment: array of { migration, plan hash, risk, canRollBack }.
  plans jsonb not null default '[]',
  notified_at timestamptz,
  created_at timestamptz not null default now(),
  unique (platform, external_id, status)
);

create table belay.webhook_deliveries (
  platform text not null,
  delivery_id text not null,
  received_at timestamptz not null default now(),
  primary key (platform, delivery_id)
);

-- Answers of POST requests that carried an Idempotency-Key.
create table belay.idempotency_keys (
  actor text not null,
  key text not null,
  request_sha256 text not null,
  status integer,
  response jsonb,
  created_at timestamptz not null default now(),
  primary key (actor, key)
);

-- Who agreed to a plan, or let it pass a gate. Append-only.
create table belay.approvals (
  id uuid primary key default gen_random_uuid(),
  plan_hash text not null,
  migration_name text not null,
  actor text not null,
  -- id of the signed-in user; null: only the database role shows who it was.
  subject text,
  -- session_user, whatever was written.
  database_role name not null default session_user,
  decision text not null check (decision in ('approved', 'waived')),
  gate text check ((gate is null) = (decision = 'approved')),
  reason text not null,
  -- rows that would go, as the plan said.
  rows bigint not null,
  created_at timestamptz not null default clock_timestamp()
);
create index approvals_migration on belay.approvals (migration_name, created_at desc);

-- Messages about a plan that the team's address answered. Append-only.
create table belay.notifications (
  id uuid primary key default gen_random_uuid(),
  plan_hash text not null,
  migration_name text not null,
  -- host alone: the whole address may be a secret.
  address text not null,
  status integer not null,
  actor text not null,
  sent_at timestamptz not null default clock_timestamp()
);
create index notifications_migration on belay.notifications (migration_name, sent_at desc);

-- Append-only; each row's hash covers the row before it.
create table belay.audit_log (
  id bigint primary key,
  occurred_at timestamptz not null default clock_timestamp(),
  actor text not null,
  action text not null,
  subject text not null,
  details jsonb not null default '{}',
  previous_hash text not null,
  hash text not null
);
create index audit_log_rollback on belay.audit_log ((details ->> 'rollbackId')) where details ? 'rollbackId';

-- The newest anchor of the log's head in each store.
create table belay.audit_anchors (
  store_url text primary key,
  key text not null,
  sha256 text not null,
  id bigint not null,
  hash text not null,
  rows bigint not null,
  timeline integer not null,
  anchored_at timestamptz not null default clock_timestamp()
);

-- Receipts of rollbacks that are in a store. Append-only.
create table belay.receipts (
  rollback_id uuid primary key references belay.rollbacks (id),
  position bigint not null generated always as identity,
  store_url text not null,
  key text not null,
  sha256 text not null,
  written_at timestamptz not null default clock_timestamp()
);

-- Audit ------------------------------------------------------------------------------------------------------------

-- The text that a row's hash covers, the same whatever the session's settings are.
create function belay.audit_text(entry belay.audit_log) returns text
  language sql stable set search_path = pg_catalog
as $$
  select jsonb_build_array(
    entry.id, to_char(entry.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    entry.actor, entry.action, entry.subject, entry.details, entry.previous_hash
  )::text
$$;

create function belay.append_audit(actor text, action text, subject text, details jsonb default '{}') returns bigint
  language plpgsql set search_path = pg_catalog
as $$
declare
  entry belay.audit_log;
  head belay.audit_log;
begin
  perform pg_advisory_xact_lock(hashtextextended('belay.audit_log', 0));
  select * into head from belay.audit_log order by id desc limit 1;
  entry.id := coalesce(head.id, 0) + 1;
  entry.occurred_at := clock_timestamp();
  entry.actor := actor;
  entry.action := action;
  entry.subject := subject;
  entry.details := coalesce(details, '{}');
  entry.previous_hash := coalesce(head.hash, repeat('0', 64));
  entry.hash := encode(sha256(convert_to(belay.audit_text(entry), 'UTF8')), 'hex');
  insert into belay.audit_log select entry.*;
  return entry.id;
end
$$;
comment on function belay.append_audit(text, text, text, jsonb) is
  'Appends one row to the audit log, chained to the row before it; writers wait for each other until commit.';

create function belay.verify_audit(
  out ok boolean, out rows bigint, out head_id bigint, out head_hash text, out broken_at bigint, out reason text
)
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  entry belay.audit_log;
begin
  ok := true;
  rows := 0;
  head_id := 0;
  head_hash := repeat('0', 64);
  for entry in select * from belay.audit_log order by id loop
    rows := rows + 1;
    if entry.id <> head_id + 1 then
      reason := format('row %s is missing', head_id + 1);
      broken_at := head_id + 1;
    elsif entry.previous_hash <> head_hash then
      reason := format('row %s does not follow the row before it', entry.id);
      broken_at := entry.id;
    elsif entry.hash <> encode(sha256(convert_to(belay.audit_text(entry), 'UTF8')), 'hex') then
      reason := format('row %s was changed', entry.id);
      broken_at := entry.id;
    end if;
    if broken_at is not null then
      ok := false;
      return;
    end if;
    head_id := entry.id;
    head_hash := entry.hash;
  end loop;
end
$$;
comment on function belay.verify_audit() is
  'Finds a changed, inserted or missing row. A cut tail shows only against a head kept elsewhere: compare head_id and head_hash.';

create function belay.refuse_change() returns trigger
  language plpgsql set search_path = pg_catalog
as $$
begin
  raise exception '%.% is append-only: % refused', tg_table_schema, tg_table_name, lower(tg_op)
    using errcode = 'insufficient_privilege';
end
$$;

-- Who and when are the server's to say.
create function belay.stamp_approval() returns trigger
  language plpgsql set search_path = pg_catalog
as $$
begin
  new.database_role := session_user;
  new.created_at := clock_timestamp();
  return new;
end
$$;
create trigger stamp before insert on belay.approvals for each row execute function belay.stamp_approval();

do $$
declare
  kept text;
begin
  foreach kept in array array['audit_log', 'approvals', 'notifications', 'receipts'] loop
    execute format('create trigger append_only before update or delete on belay.%I for each row execute function belay.refuse_change()', kept);
    execute format('create trigger append_only_truncate before truncate on belay.%I for each statement execute function belay.refuse_change()', kept);
    -- Also under session_replication_role = replica.
    execute format('alter table belay.%I enable always trigger append_only', kept);
    execute format('alter table belay.%I enable always trigger append_only_truncate', kept);
  end loop;
end
$$;

-- Maintenance ------------------------------------------------------------------------------------------------------

create function belay.maintenance_now(
  out active boolean, out reason text, out since timestamptz, out expected_until timestamptz, out rollback_id uuid
)
  language sql stable security definer set search_path = pg_catalog
as $$
  select s.active, case when s.active then m.reason end, case when s.active then m.since end,
    case when s.active then m.expected_until end, case when s.active then m.rollback_id end
  from belay.maintenance m, lateral (select coalesce(m.active and clock_timestamp() < m.expected_until, false) as active) s
$$;
comment on function belay.maintenance_now() is
  'Whether maintenance is on, why and until when, for applications: grant usage on schema belay to app; grant execute on function belay.maintenance_now() to app.';

-- Snapshots --------------------------------------------------------------------------------------------------------

-- Ids of a state's entries; with `among`, only those of them.
create function belay.state_entries(state integer, among integer[] default null) returns setof integer
  language sql stable set search_path = pg_catalog
as $$
  with recursive chain as (
    select s.previous, s.added, s.removed, s.entries, 0 as back from belay.snapshot_states s where s.id = state
    union all
    select s.previous, s.added, s.removed, s.entries, c.back + 1
    from chain c join belay.snapshot_states s on s.id = c.previous where c.entries is null
  ), said (entry, back, present) as (
    select unnest(c.entries), c.back, true from chain c
    union all
    select unnest(c.added), c.back, true from chain c where c.entries is null
    union all
    select unnest(c.removed), c.back, false from chain c where c.entries is null
  ), newest as (
    select distinct on (s.entry) s.entry, s.present from said s
    where among is null or s.entry = any (among) order by s.entry, s.back
  )
  select n.entry from newest n where n.present
$$;

-- Stores a state as what came and went since another, and answers its id. `fresh` holds entries that may be new.
create function belay.store_state(digest text, base integer, fresh jsonb, added text[], removed text[]) returns integer
  language plpgsql set search_path = pg_catalog
as $$
declare
  came integer[];
  went integer[];
  whole integer[];
  before belay.snapshot_states;
  size integer;
  stored integer;
begin
  insert into belay.snapshot_entries (stored_hash, key, kind, hash, entry)
    select f ->> 'stored_hash', f -> 'entry' ->> 'key', f -> 'entry' ->> 'kind', f -> 'entry' ->> 'hash', f -> 'entry'
    from jsonb_array_elements(fresh) f
    on conflict do nothing;
  select coalesce(array_agg(e.id), '{}') into came from belay.snapshot_entries e where e.stored_hash = any (added);
  select coalesce(array_agg(e.id), '{}') into went from belay.snapshot_entries e where e.stored_hash = any (removed);
  if cardinality(came) <> cardinality(added) or cardinality(went) <> cardinality(removed) then
    raise exception 'a snapshot names entries that are not stored';
  end if;
  if base is not null and cardinality(came) + cardinality(went) = 0 then
    return base;
  end if;
  select * into before from belay.snapshot_states s where s.id = base;
  select cardinality(s.entries) into size from belay.snapshot_states s where s.entries is not null order by s.id desc limit 1;
  if base is null or before.depth >= 200 or before.weight + cardinality(came) + cardinality(went) > 100 + size / 2 then
    select coalesce(array_agg(a.entry order by a.entry), '{}') into whole from (
      (select belay.state_entries(base) as entry except select unnest(went)) union select unnest(came)
    ) a;
  end if;
  insert into belay.snapshot_states (digest, previous, added, removed, entries, depth, weight)
    values (
      digest, base, came, went, whole,
      case when whole is null then before.depth + 1 else 0 end,
      case when whole is null then before.weight + cardinality(came) + cardinality(went) else 0 end
    )
    returning id into stored;
  return stored;
end
$$;

-- The entries in which two states differ.
create function belay.state_changes(before_state integer, after_state integer)
  returns table (key text, kind text, before_entry integer, after_entry integer, before_hash text, after_hash text)
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  came integer[] := '{}';
  went integer[] := '{}';
begin
  if before_state <> after_state then
    select s.added, s.removed into came, went from belay.snapshot_states s where s.id = after_state and s.previous = before_state;
    if not found then
      came := array(select belay.state_entries(after_state) except select belay.state_entries(before_state));
      went := array(select belay.state_entries(before_state) except select belay.state_entries(after_state));
    end if;
  end if;
  return query
    select coalesce(a.key, b.key), coalesce(a.kind, b.kind), b.id, a.id, b.hash, a.hash
    from (select * from belay.snapshot_entries e where e.id = any (went)) b
    full join (select * from belay.snapshot_entries e where e.id = any (came)) a on a.key = b.key
    where a.hash is distinct from b.hash;
end
$$;

-- The state of a migration's newest snapshot at a moment.
create function belay.state_at(migration text, at_moment text) returns integer
  language sql stable set search_path = pg_catalog
as $$
  select s.state from belay.snapshots s
  where s.migration_name = migration and s.moment = at_moment and s.origin <> 'sql' order by s.created_at desc limit 1
$$;

-- Writes down in which entries the newest snapshots of a migration differ; nothing while one of the two is missing.
create function belay.record_changes(migration text) returns void
  language sql set search_path = pg_catalog
as $$
  delete from belay.migration_changes c where c.migration_name = migration;
  insert into belay.migration_changes (migration_name, key, kind, before_entry, after_entry, before_hash, after_hash)
    select migration, c.* from belay.state_changes(belay.state_at(migration, 'before'), belay.state_at(migration, 'after')) c
$$;

-- Functions for psql -----------------------------------------------------------------------------------------------

create function belay.can_rollback_migration(
  migration text, out can_rollback boolean, out reason text, out dependent_migrations text[]
)
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  target belay.migration_history;
begin
  can_rollback := false;
  dependent_migrations := '{}';
  select * into target from belay.migration_history h where h.migration_name = migration;
  if not found then
    reason := format('migration %s is not in the ledger: run `belay sync`', migration);
    return;
  end if;
  select coalesce(array_agg(h.migration_name order by h.migration_version desc, h.migration_name desc), '{}')
    into dependent_migrations
    from belay.migration_dependencies d
    join belay.migration_history h on h.migration_name = d.migration_name
    where d.depends_on = migration and h.status <> 'rolled_back';
  if target.status = 'rolled_back' then
    reason := format('already rolled back at %s', to_char(target.rollback_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'));
  elsif target.status = 'failed' then
    reason := 'half applied: mend the database, tell your tool, then run `belay sync`';
  elsif belay.only_comments(target.rollback_sql) then
    reason := 'no rollback SQL: write it, then run `belay register`';
  elsif cardinality(dependent_migrations) > 0 then
    reason := format('other migrations depend on it and must be rolled back first: %s', array_to_string(dependent_migrations, ', '));
  else
    can_rollback := true;
    reason := 'no status, rollback SQL or dependent stands in the way; `belay check` looks at the rest';
  end if;
end
$$;
comment on function belay.can_rollback_migration(text) is
  'Status, rollback SQL and dependents of a migration, as the ledger knows them. `belay check` also looks at the database.';

-- True for null, blank and comment-only SQL. A comment mark within a quoted string is taken for SQL: never a false "empty".
create function belay.only_comments(sql text) returns boolean
  language sql immutable set search_path = pg_catalog
as $$
  select coalesce(sql, '') !~ '[^[:space:];]'
    or (sql !~ '[''"$]' and regexp_replace(regexp_replace(sql, '/\*.*?\*/', '', 'g'), '--[^\n]*', '', 'g') !~ '[^[:space:];]')
    or regexp_replace(sql, '^[[:space:]]*--[^\n]*$', '', 'gn') !~ '[^[:space:];]'
$$;

create function belay.list_rollbackable_migrations()
  returns table (
    migration_name text, migration_version text, can_rollback boolean, applied_at timestamptz,
    has_rollback boolean, blocking_reason text
  )
  language sql stable set search_path = pg_catalog
as $$
  select h.migration_name, h.migration_version, c.can_rollback, h.applied_at,
    not belay.only_comments(h.rollback_sql), case when c.can_rollback then null else c.reason end
  from belay.migration_history h
  cross join lateral belay.can_rollback_migration(h.migration_name) c
  where h.status <> 'rolled_back'
  order by h.migration_version desc, h.migration_name desc
$$;
comment on function belay.list_rollbackable_migrations() is 'All migrations that are applied, with what the ledger says stands in the way.';

-- One line per row of every system catalog that this role may read, without columns that change by themselves.
create function belay.catalog_account() returns table (catalog oid, object oid, line text)
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  c record;
begin
  for c in
    select k.oid, k.relname, exists (
      select from pg_attribute a where a.attrelid = k.oid and a.attname = 'oid' and not a.attisdropped
    ) as has_oid
    from pg_class k
    where k.relnamespace = 'pg_catalog'::regnamespace and k.relkind = 'r'
      and has_table_privilege(k.oid, 'select')
      and k.relname not in (
        'pg_statistic', 'pg_statistic_ext_data', 'pg_depend', 'pg_shdepend', 'pg_largeobject',
        'pg_subscription_rel', 'pg_replication_origin'
      )
  loop
    return query execute format(
      $q$
        select %s::oid, %s, %s || ' ' || (to_jsonb(r) - array[
          'relpages', 'reltuples', 'relallvisible', 'relallfrozen', 'relhasindex', 'relnatts', 'relhasrules',
          'relhastriggers', 'relchecks', 'relfrozenxid', 'relminmxid', 'relhassubclass', 'indcheckxmin',
          'datfrozenxid', 'datminmxid'
        ])::text
        from pg_catalog.%I r
      $q$,
      c.oid,
      case c.relname when 'pg_attribute' then 'r.attrelid' when 'pg_index' then 'r.indexrelid'
        else case when c.has_oid then 'r.oid' else 'null::oid' end end,
      quote_literal(c.relname), c.relname
    );
  end loop;
end
$$;

-- Every relation that this transaction holds in a mode that writing rows or large objects takes, or changed without being readable.
create function belay.written_relations() returns table (relation oid)
  language sql stable set search_path = pg_catalog
as $$
  select l.relation from pg_locks l join pg_class c on c.oid = l.relation
  where l.pid = pg_backend_pid() and l.locktype = 'relation' and l.granted
    and l.mode = 'RowExclusiveLock' and l.database in (0, (select d.oid from pg_database d where d.datname = current_database()))
    and c.relkind in ('r', 'p', 'm', 'f', 'S', 't')
    and (
      c.relnamespace not in ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace)
      or c.relname = 'pg_largeobject'
      or (c.relnamespace = 'pg_catalog'::regnamespace and not has_table_privilege(c.oid, 'select'))
    )
$$;

-- Whether a row of a shared catalog went by another session's DROP: of a database, which no transaction can drop (its row
-- is marked in place first, by a limit of -2 connections, visible to every snapshot), or of
-- a role while this transaction holds no lock to write pg_authid, which DROP ROLE keeps until its end. Its comment,
-- settings and memberships go with it.
create function belay.gone_elsewhere(catalog oid, line text) returns boolean
  language sql stable set search_path = pg_catalog
as $$
  with gone as (
    select substr(line, position(' ' in line) + 1)::jsonb as r
    where catalog in ('pg_database'::regclass, 'pg_authid'::regclass, 'pg_auth_members'::regclass,
      'pg_shdescription'::regclass, 'pg_db_role_setting'::regclass)
  ), named as (
    select case
        when catalog = 'pg_database'::regclass then array[r ->> 'oid']
        when catalog = 'pg_shdescription'::regclass and r ->> 'classoid' = 'pg_database'::regclass::oid::text then array[r ->> 'objoid']
        when catalog = 'pg_db_role_setting'::regclass then array[nullif(r ->> 'setdatabase', '0')]
      end as databases,
      case
        when catalog = 'pg_authid'::regclass then array[r ->> 'oid']
        when catalog = 'pg_shdescription'::regclass and r ->> 'classoid' = 'pg_authid'::regclass::oid::text then array[r ->> 'objoid']
        when catalog = 'pg_db_role_setting'::regclass then array[nullif(r ->> 'setrole', '0')]
        when catalog = 'pg_auth_members'::regclass then array[r ->> 'roleid', r ->> 'member', r ->> 'grantor']
      end as roles
    from gone
  )
  select exists (
    select from named n where exists (
      select from unnest(n.databases) d (oid) where d.oid is not null and d.oid::oid not in (select b.oid from pg_database b where b.datconnlimit <> -2)
    ) or (
      exists (select from unnest(n.roles) a (oid) where a.oid is not null and a.oid::oid not in (select b.oid from pg_roles b))
      and not exists (
        select from pg_locks l where l.pid = pg_backend_pid() and l.database = 0 and l.relation = 'pg_authid'::regclass
          and l.mode = 'RowExclusiveLock' and l.granted
      )
    )
  )
$$;

-- What a rollback that ran in this transaction destroyed or changed, given the account taken before it. An index
-- that backs no constraint may go when the migration's own before snapshot proves that it was not there before.
create function belay.losses(migration text, before_catalogs oid[], before_objects oid[], before_lines text[])
  returns table (catalog oid, object oid)
  language sql stable set search_path = pg_catalog
as $$
  with before as (
    select b.catalog, b.object, b.line from unnest(before_catalogs, before_objects, before_lines) as b (catalog, object, line)
  ), gone as (
    select * from before except all select * from belay.catalog_account()
  ), free_indexes as (
    select (g.object) as oid from gone g
    where g.catalog = 'pg_class'::regclass and g.line like 'pg_class %'
      and (substr(g.line, 10)::jsonb ->> 'relkind') in ('i', 'I')
      and not exists (
        select from before b where b.catalog = 'pg_constraint'::regclass
          and substr(b.line, 15)::jsonb ->> 'conindid' = g.object::text
      )
      and not exists (select from pg_class c where c.oid = g.object)
      and exists (
        select from belay.state_at(migration, 'before') s where s is not null
          and not exists (
            select from belay.state_entries(s, array(
              select e.id from belay.snapshot_entries e
              where e.kind = 'INDEX' and e.entry ->> 'name' = substr(g.line, 10)::jsonb ->> 'relname'
            ))
          )
      )
  )
  select g.catalog, g.object from gone g
  where (g.object is null or g.object not in (select f.oid from free_indexes f))
    and not belay.gone_elsewhere(g.catalog, g.line)
$$;

-- PL/pgSQL parses all statements of a block before it runs the first: syntax is checked, nothing is run.
create function belay.check_syntax(sql text) returns void
  language plpgsql set search_path = pg_catalog
as $$
declare
  quote constant text := '$belay' || md5(sql) || '$';
begin
  execute 'do ' || quote || ' begin return; ' || sql || E'\nend ' || quote;
exception when others then
  -- The last statement may stand without a semicolon.
  execute 'do ' || quote || ' begin return; ' || sql || E'\n; end ' || quote;
end
$$;

create function belay.execute_migration_rollback(
  migration text, dry_run boolean default true, out success boolean, out message text, out sql_executed text
)
  language plpgsql
as $$
declare
  target belay.migration_history;
  verdict record;
  by_belay constant text := pg_catalog.format('run: belay rollback %s', migration);
  role_before constant text := current_user;
  path_before constant text := pg_catalog.current_setting('search_path');
  catalogs oid[];
  objects oid[];
  lines text[];
  sequences_before jsonb;
  lost_catalogs oid[] := '{}';
  lost_objects oid[] := '{}';
  written oid[] := '{}';
begin
  success := false;
  select * into verdict from belay.can_rollback_migration(migration);
  select * into target from belay.migration_history h where h.migration_name = migration;
  sql_executed := target.rollback_sql;
  if not verdict.can_rollback then
    message := pg_catalog.format('%s cannot be rolled back: %s', migration, verdict.reason);
    return;
  end if;

  begin
    perform belay.check_syntax(target.rollback_sql);
  exception when others then
    message := pg_catalog.format('the rollback SQL of %s cannot run here: %s; for line and column run: belay check %s', migration, sqlerrm, migration);
    return;
  end;
  if dry_run then
    success := true;
    message := pg_catalog.format('dry run: nothing was executed; what it would destroy shows: belay rollback %s --dry-run', migration);
    return;
  end if;

  if exists (select from belay.written_relations()) then
    message := 'this transaction has written already, so what the rollback writes cannot be told apart: call this function alone';
    return;
  end if;
  -- The key under which `belay` runs one rollback at a time.
  if not pg_catalog.pg_try_advisory_xact_lock(1650814049, 1) then
    message := 'another rollback is running';
    return;
  end if;
  if pg_catalog.jsonb_array_length(coalesce(target.metadata -> 'reverses', '[]')) > 1 then
    message := pg_catalog.format('the rollback SQL of %s reverses other migrations too: %s', migration, by_belay);
    return;
  end if;
  if belay.foreign_tracking() then
    message := pg_catalog.format('the table that records applied migrations must be kept in step: %s', by_belay);
    return;
  end if;

  select pg_catalog.array_agg(a.catalog), pg_catalog.array_agg(a.object), pg_catalog.array_agg(a.line)
    into catalogs, objects, lines from belay.catalog_account() a;
  sequences_before := belay.sequence_values();
  begin
    perform pg_catalog.set_config('search_path', coalesce(target.metadata ->> 'search_path', path_before), true);
    execute target.rollback_sql;
    set constraints all immediate;
    if current_user <> role_before then
      raise exception 'it changes the role' using errcode = 'BY002';
    end if;
    perform pg_catalog.set_config('search_path', 'pg_catalog', true);
    select coalesce(pg_catalog.array_agg(l.catalog), '{}'), coalesce(pg_catalog.array_agg(l.object), '{}')
      into lost_catalogs, lost_objects from belay.losses(migration, catalogs, objects, lines) l;
    select coalesce(pg_catalog.array_agg(w.relation), '{}') into written
      from belay.written_relations() w where w.relation = any (objects);
    if pg_catalog.cardinality(lost_catalogs) > 0 or pg_catalog.cardinality(written) > 0 then
      raise exception 'it destroys or changes' using errcode = 'BY001';
    end if;
  exception
    when sqlstate 'BY001' then
      perform belay.restore_sequences(sequences_before);
      message := pg_catalog.format(
        'nothing was changed: the rollback of %s destroys or changes %s, and Postgres cannot archive that; %s',
        migration, belay.describe_losses(lost_catalogs, lost_objects, written), by_belay
      );
    when others then
      perform belay.restore_sequences(sequences_before);
      message := pg_catalog.format('nothing was changed: the rollback SQL of %s failed: %s; %s', migration, sqlerrm, by_belay);
  end;
  if message is not null then
    perform belay.append_audit(role_before, 'rollback_refused', migration, pg_catalog.jsonb_build_object('message', message, 'from', 'sql'));
    return;
  end if;

  perform pg_catalog.set_config('search_path', path_before, false);
  perform belay.forget_tracked(target.migration_version);
  update belay.migration_history h
    set status = 'rolled_back', rollback_at = pg_catalog.clock_timestamp(), rollback_by = role_before
    where h.migration_name = migration;
  perform belay.append_audit(role_before, 'rolled_back', migration, pg_catalog.jsonb_build_object('from', 'sql', 'destroyed', 'nothing'));
  success := true;
  message := pg_catalog.format('%s rolled back; no row was destroyed', migration);
end
$$;
comment on function belay.execute_migration_rollback(text, boolean) is
  'Shows a rollback, or runs one that destroys nothing: decided by what the database did, undone when it destroyed. '
  'Calls that leave the database (dblink, pg_net) cannot be seen from here.';

-- Values of the sequences that this role may read: setval and nextval survive a rollback. Read as a table is:
-- pg_sequences would take the very locks by which a setval of the rollback is recognised.
create function belay.sequence_values() returns jsonb
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  sequence record;
  value text;
  found_values jsonb := '{}';
begin
  for sequence in
    select c.oid, c.oid::regclass as name from pg_class c where c.relkind = 'S' and has_table_privilege(c.oid, 'select')
  loop
    execute format('select last_value::text from %s', sequence.name) into value;
    found_values := found_values || jsonb_build_object(sequence.oid::text, value);
  end loop;
  return found_values;
end
$$;

create function belay.restore_sequences(before jsonb) returns void
  language plpgsql set search_path = pg_catalog
as $$
declare
  s record;
begin
  for s in
    select b.key::oid::regclass as sequence, b.value::bigint as was, n.value::bigint as is, q.seqincrement as step
    from jsonb_each_text(before) b
    join pg_sequence q on q.seqrelid = b.key::oid
    left join jsonb_each_text(belay.sequence_values()) n on n.key = b.key
  loop
    if s.is is null or (s.step > 0 and s.is < s.was) or (s.step < 0 and s.is > s.was) then
      perform setval(s.sequence, s.was);
    end if;
  end loop;
end
$$;

-- An object's name for people; null for rows that are no object of their own.
create function belay.describe_object(catalog oid, object oid) returns text
  language sql stable set search_path = pg_catalog
as $$
  select case
    when object is null or catalog = 'pg_enum'::regclass then null
    when catalog in ('pg_attribute'::regclass, 'pg_index'::regclass) then pg_describe_object('pg_class'::regclass, object, 0)
    when catalog = 'pg_largeobject_metadata'::regclass then pg_describe_object('pg_largeobject'::regclass, object, 0)
    else pg_describe_object(catalog, object, 0)
  end
$$;

create function belay.describe_losses(catalogs oid[], objects oid[], written oid[]) returns text
  language sql stable set search_path = pg_catalog
as $$
  with named as (
    select distinct coalesce(belay.describe_object(l.catalog, l.object), 'a row of ' || l.catalog::regclass::text) as what
    from unnest(catalogs, objects) as l (catalog, object)
    union
    select 'rows of ' || pg_describe_object('pg_class'::regclass, w.oid, 0) from unnest(written) as w (oid)
  ), numbered as (
    select what, row_number() over (order by what like '%pg_toast%' or what like 'a row of %', what) as n,
      count(*) over () as total
    from named
  )
  select coalesce(string_agg(what, ', ' order by n) filter (where n <= 8), 'something')
    || case when max(total) > 8 then format(' and %s more', max(total) - 8) else '' end
  from numbered
$$;

-- Schemas whose tables of that name belong to a platform's own services.
create function belay.services_schema(name name) returns boolean
  language sql immutable set search_path = pg_catalog
as $$
  select name in ('auth', 'storage', 'realtime', '_realtime', '_analytics', '_supavisor', 'supabase_functions')
$$;

-- Tools whose table these functions keep in step: supabase and dbmate (one row per version). True: another tool's table is here.
create function belay.foreign_tracking() returns boolean
  language sql stable set search_path = pg_catalog
as $$
  select exists (
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'belay')
      and not belay.services_schema(n.nspname)
      and exists (
        select from pg_attribute a where a.attrelid = c.oid and not a.attisdropped and (
          (c.relname = 'schema_migrations' and a.attname = 'dirty')
          or (c.relname <> 'schema_migrations' and c.relname ~ 'migrations?$' and a.attname in ('version', 'applied_at', 'migration_name'))
          or (a.attname in ('dirty', 'is_applied', 'installed_rank') and exists (
            select from pg_attribute v where v.attrelid = c.oid and v.attname in ('version', 'version_id')
          ))
        )
      )
  )
$$;

create function belay.forget_tracked(version text) returns void
  language plpgsql set search_path = pg_catalog
as $$
declare
  tracking regclass;
begin
  for tracking in
    select c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relname = 'schema_migrations' and c.relkind in ('r', 'p') and not belay.services_schema(n.nspname) and exists (
      select from pg_attribute a where a.attrelid = c.oid and a.attname = 'version' and a.atttypid in ('text'::regtype, 'varchar'::regtype)
    )
  loop
    execute format('delete from %s where version = $1', tracking) using version;
  end loop;
end
$$;

-- The digest of what this role sees of each object's rows in the system catalogs, Belay's own objects left out.
create function belay.account_by_object() returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  with lines as (
    select coalesce(belay.describe_object(a.catalog, a.object), 'a row of ' || c.relname) as what, a.line
    from belay.catalog_account() a join pg_class c on c.oid = a.catalog and not c.relisshared
    where a.object is null or a.object >= 16384
  ), digests as (
    select l.what, md5(string_agg(l.line, E'\n' order by l.line)) as digest from lines l
    where l.what !~ '(\m(belay|supabase_migrations)\.|^schema (belay|supabase_migrations)$)' group by l.what
  )
  select coalesce(jsonb_object_agg(d.what, d.digest), '{}') from digests d
$$;

-- Postgres cannot write down entries from which to restore: what it stores is a digest for each object. The next
-- `belay sync` completes it with the entries, if the catalog still gives the same digests.
create function belay.create_migration_snapshot(migration text, description text default '') returns uuid
  language plpgsql set search_path = pg_catalog
as $$
declare
  snapshot uuid;
  found_account jsonb := belay.account_by_object();
begin
  if not exists (select from belay.migration_history h where h.migration_name = migration) then
    raise exception 'migration % is not in the ledger', migration
      using errcode = 'no_data_found', hint = 'Run `belay sync`.';
  end if;
  insert into belay.snapshots (migration_name, moment, origin, description, digest, account)
    values (
      migration, 'manual', 'sql', coalesce(description, ''),
      encode(sha256(convert_to(found_account::text, 'UTF8')), 'hex'), found_account
    )
    returning id into snapshot;
  perform belay.append_audit(current_user, 'snapshot', migration, jsonb_build_object('snapshot', snapshot, 'description', description));
  return snapshot;
end
$$;
comment on function belay.create_migration_snapshot(text, text) is
  'Stores a digest of every object (moment manual, origin sql); the next `belay sync` completes it with the entries if nothing changed since.';

-- Rights -----------------------------------------------------------------------------------------------------------

do $$
declare
  relation regclass;
  role name;
begin
  for relation in select c.oid from pg_catalog.pg_class c where c.relnamespace = 'belay'::regnamespace and c.relkind = 'r' loop
    execute pg_catalog.format('alter table %s enable row level security', relation);
  end loop;
  revoke all on all tables in schema belay from public;
  revoke all on all functions in schema belay from public;
  for role in select r.rolname from pg_catalog.pg_roles r where r.rolname in ('anon', 'authenticated', 'service_role') loop
    execute pg_catalog.format('revoke all on schema belay from %I', role);
    execute pg_catalog.format('revoke all on all tables in schema belay from %I', role);
    execute pg_catalog.format('revoke all on all functions in schema belay from %I', role);
  end loop;
end
$$;

-- ROLLBACK START
-- do $$
-- begin
--   if exists (select from belay.migration_history) or exists (select from belay.rollbacks)
--     or exists (select from belay.archives) or exists (select from belay.drills)
--     or exists (select from belay.deployments) or exists (select from belay.audit_log)
--   then
--     raise exception 'schema belay holds history: it is not removed'
--       using hint = 'Export what you need to keep, then drop the schema by hand.';
--   end if;
-- end
-- $$;
-- drop schema belay cascade;
-- ROLLBACK END

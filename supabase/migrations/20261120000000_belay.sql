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

-- Entries are stored once by hash; a snapshot is a list of hashes.
create table belay.snapshot_entries (
  hash text primary key,
  entry jsonb not null
);

create table belay.snapshots (
  id uuid primary key default gen_random_uuid(),
  migration_name text references belay.migration_history (migration_name) on delete cascade,
  moment text not null check (moment in ('before', 'after', 'manual')),
  -- live: read from this database. replayed: read from a scratch database that ended equal to this one.
  origin text not null default 'live' check (origin in ('live', 'replayed')),
  description text not null default '',
  digest text not null,
  entry_hashes text[] not null,
  created_at timestamptz not null default now(),
  created_by text not null default current_user
);
create index snapshots_migration on belay.snapshots (migration_name, moment, created_at desc);

create table belay.archives (
  id text primary key,
  purpose text not null check (purpose in ('rollback', 'dump', 'undo')),
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
  -- transaction id of the rollback, to settle a lost COMMIT answer with pg_xact_status.
  xid text,
  backend_pid integer,
  started_at timestamptz not null default now(),
  finished_at timestamptz
);
create index rollbacks_migration on belay.rollbacks (migration_name, started_at desc);

create table belay.proofs (
  id uuid primary key default gen_random_uuid(),
  migration_name text not null,
  checksum text not null,
  verdict text not null,
  loses jsonb not null default '[]',
  differences jsonb not null default '[]',
  created_at timestamptz not null default now()
);

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

create table belay.approvals (
  id uuid primary key default gen_random_uuid(),
  plan_hash text not null,
  actor text not null,
  decision text not null check (decision in ('approved', 'waived')),
  gate text,
  reason text not null,
  created_at timestamptz not null default now()
);

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

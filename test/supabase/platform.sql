-- What a hosted Supabase database holds before its first migration, as far as its public documentation and
-- repositories tell: roles, managed schemas with their owners and grants, extensions, event triggers, a publication.
-- Needs a superuser. Can run again on the same server in another database: roles are made where they are missing.
-- pg_graphql, Vault and Realtime are plain objects here. The platform lets `postgres` make policies on storage.objects and
-- drop triggers of auth.users by an extension (supautils) that is not here: it owns neither.

do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('supabase_admin', 'superuser createdb createrole replication bypassrls login'),
      ('postgres', 'createdb createrole replication bypassrls login'),
      ('anon', 'nologin noinherit'),
      ('authenticated', 'nologin noinherit'),
      ('service_role', 'nologin noinherit bypassrls'),
      ('authenticator', 'login noinherit'),
      ('dashboard_user', 'createdb createrole replication nologin'),
      ('supabase_auth_admin', 'createrole login noinherit'),
      ('supabase_storage_admin', 'createrole login noinherit'),
      ('supabase_realtime_admin', 'nologin noinherit'),
      ('supabase_replication_admin', 'replication login'),
      ('supabase_read_only_user', 'bypassrls login'),
      ('pgbouncer', 'login')
    ) as r (name, options)
  loop
    if not exists (select from pg_roles where rolname = wanted.name) then
      execute format('create role %I %s', wanted.name, wanted.options);
    end if;
  end loop;
  -- A server of another kind may have `postgres` as its superuser: it needs none of this.
  if not (select rolsuper from pg_roles where rolname = 'postgres') then
    grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;
    grant anon, authenticated, service_role to postgres with admin option;
    grant supabase_realtime_admin to postgres;
    alter role postgres set search_path to "$user", public, extensions;
    alter role postgres set statement_timeout to '2min';
    execute format('alter database %I owner to postgres', current_database());
  end if;
  alter role supabase_admin set search_path to "$user", public, auth, extensions;
  alter role supabase_auth_admin set search_path to auth;
  alter role supabase_storage_admin set search_path to storage;
  alter role anon set statement_timeout to '3s';
  alter role authenticated set statement_timeout to '8s';
  alter role authenticator set statement_timeout to '8s';
  alter role authenticator set lock_timeout to '8s';
end
$$;
grant anon, authenticated, service_role to authenticator;
grant pg_read_all_data to supabase_read_only_user;

set role supabase_admin;

-- Extensions -------------------------------------------------------------------------------------------------------

create schema extensions;
alter schema extensions owner to postgres;
create extension "uuid-ossp" with schema extensions;
create extension pgcrypto with schema extensions;
create extension pg_stat_statements with schema extensions;
grant usage on schema extensions to anon, authenticated, service_role;
grant all on schema extensions to dashboard_user;

-- Public -----------------------------------------------------------------------------------------------------------

grant usage on schema public to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public grant all on sequences to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema public grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema public grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema public grant all on sequences to postgres, anon, authenticated, service_role;

-- Auth -------------------------------------------------------------------------------------------------------------

create schema auth;
grant usage on schema auth to anon, authenticated, service_role, postgres;
grant all on schema auth to supabase_auth_admin, dashboard_user;

create type auth.aal_level as enum ('aal1', 'aal2', 'aal3');
alter type auth.aal_level owner to supabase_auth_admin;

create table auth.users (
  instance_id uuid,
  id uuid primary key,
  aud varchar(255),
  role varchar(255),
  email varchar(255),
  encrypted_password varchar(255),
  email_confirmed_at timestamptz,
  last_sign_in_at timestamptz,
  raw_app_meta_data jsonb,
  raw_user_meta_data jsonb,
  is_super_admin boolean,
  created_at timestamptz,
  updated_at timestamptz,
  phone text unique default null,
  confirmed_at timestamptz generated always as (email_confirmed_at) stored,
  is_sso_user boolean not null default false,
  deleted_at timestamptz,
  is_anonymous boolean not null default false
);
comment on table auth.users is 'Auth: Stores user login data within a secure schema.';
create unique index users_email_partial_key on auth.users (email) where (is_sso_user = false);
create index users_instance_id_idx on auth.users (instance_id);
create table auth.sessions (
  id uuid primary key,
  user_id uuid not null references auth.users (id) on delete cascade,
  aal auth.aal_level,
  created_at timestamptz
);
create table auth.refresh_tokens (
  id bigserial primary key,
  token varchar(255) unique,
  session_id uuid references auth.sessions (id) on delete cascade
);
create table auth.schema_migrations (version varchar(255) primary key);
alter table auth.users owner to supabase_auth_admin;
alter table auth.sessions owner to supabase_auth_admin;
alter table auth.refresh_tokens owner to supabase_auth_admin;
alter table auth.schema_migrations owner to supabase_auth_admin;
alter table auth.users enable row level security;
alter table auth.sessions enable row level security;
alter table auth.refresh_tokens enable row level security;
alter table auth.schema_migrations enable row level security;
insert into auth.schema_migrations values ('20171026211738'), ('20250925093508');

create function auth.uid() returns uuid language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')
  )::uuid
$$;
create function auth.role() returns text language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.role', true), ''),
    (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role')
  )::text
$$;
create function auth.jwt() returns jsonb language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')
  )::jsonb
$$;
alter function auth.uid() owner to supabase_auth_admin;
alter function auth.role() owner to supabase_auth_admin;
alter function auth.jwt() owner to supabase_auth_admin;
comment on function auth.uid() is 'Deprecated. Use auth.jwt() -> ''sub'' instead.';

grant all on auth.users, auth.sessions, auth.refresh_tokens to dashboard_user;
grant insert, references, delete, trigger, truncate, update on auth.users, auth.sessions, auth.refresh_tokens to postgres;
grant select on auth.users, auth.sessions, auth.refresh_tokens, auth.schema_migrations to postgres with grant option;
grant all on sequence auth.refresh_tokens_id_seq to dashboard_user, postgres;
grant all on function auth.uid(), auth.role(), auth.jwt() to dashboard_user;
alter default privileges for role supabase_auth_admin in schema auth grant all on tables to postgres, dashboard_user;
alter default privileges for role supabase_auth_admin in schema auth grant all on functions to postgres, dashboard_user;
alter default privileges for role supabase_auth_admin in schema auth grant all on sequences to postgres, dashboard_user;

-- Storage ----------------------------------------------------------------------------------------------------------

create schema storage;
grant usage on schema storage to postgres with grant option;
grant usage on schema storage to anon, authenticated, service_role;
grant all on schema storage to supabase_storage_admin with grant option;
grant all on schema storage to dashboard_user;
create type storage.buckettype as enum ('STANDARD', 'ANALYTICS', 'VECTOR');
alter type storage.buckettype owner to supabase_storage_admin;
create table storage.buckets (
  id text primary key,
  name text not null,
  owner uuid,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  public boolean default false,
  file_size_limit bigint,
  allowed_mime_types text[],
  owner_id text,
  type storage.buckettype not null default 'STANDARD'
);
comment on column storage.buckets.owner is 'Field is deprecated, use owner_id instead';
create unique index bname on storage.buckets (name);
create table storage.objects (
  id uuid primary key default gen_random_uuid(),
  bucket_id text references storage.buckets (id),
  name text,
  owner uuid,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  last_accessed_at timestamptz default now(),
  metadata jsonb,
  path_tokens text[] generated always as (string_to_array(name, '/')) stored,
  version text,
  owner_id text,
  user_metadata jsonb
);
create unique index bucketid_objname on storage.objects (bucket_id, name);
create index name_prefix_search on storage.objects (name text_pattern_ops);
create function storage.foldername(name text) returns text[] language plpgsql immutable as $$
declare
  _parts text[];
begin
  select string_to_array(name, '/') into _parts;
  return _parts[1 : array_length(_parts, 1) - 1];
end
$$;
create function storage.update_updated_at_column() returns trigger language plpgsql as $$
begin
  new.updated_at = now();
  return new;
end
$$;
create trigger update_objects_updated_at before update on storage.objects
  for each row execute function storage.update_updated_at_column();
alter table storage.buckets owner to supabase_storage_admin;
alter table storage.objects owner to supabase_storage_admin;
alter function storage.foldername(text) owner to supabase_storage_admin;
alter function storage.update_updated_at_column() owner to supabase_storage_admin;
alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;
grant all on storage.buckets, storage.objects to anon, authenticated, service_role;
grant all on storage.buckets, storage.objects to postgres with grant option;

-- Realtime, Vault, GraphQL, pgbouncer ------------------------------------------------------------------------------

create schema realtime;
grant usage on schema realtime to postgres, anon, authenticated, service_role;
grant all on schema realtime to supabase_realtime_admin;
create table realtime.messages (
  topic text not null,
  extension text not null,
  payload jsonb,
  event text,
  private boolean default false,
  updated_at timestamp not null default now(),
  inserted_at timestamp not null default now(),
  id uuid not null default gen_random_uuid(),
  primary key (id, inserted_at)
) partition by range (inserted_at);
create table realtime.messages_2026_11_20 partition of realtime.messages for values from ('2026-11-20') to ('2026-11-21');
create unlogged table realtime.subscription (
  id bigint generated always as identity primary key,
  subscription_id uuid not null,
  entity regclass not null,
  claims jsonb not null
);
create table realtime.schema_migrations (version bigint primary key, inserted_at timestamp(0));
alter table realtime.messages owner to supabase_realtime_admin;
alter table realtime.messages_2026_11_20 owner to supabase_realtime_admin;
alter table realtime.messages enable row level security;
grant select, insert, update on realtime.messages to postgres, anon, authenticated, service_role;
create function realtime.topic() returns text language sql stable as $$
  select nullif(current_setting('realtime.topic', true), '')::text
$$;
alter function realtime.topic() owner to supabase_realtime_admin;

create schema vault;
create table vault.secrets (
  id uuid primary key default gen_random_uuid(),
  name text,
  description text not null default '',
  secret text not null,
  created_at timestamptz not null default current_timestamp
);
create unique index secrets_name_idx on vault.secrets (name) where name is not null;
create view vault.decrypted_secrets as select id, name, description, secret, secret as decrypted_secret from vault.secrets;
grant usage on schema vault to postgres with grant option;
grant select, delete on vault.secrets, vault.decrypted_secrets to postgres with grant option;
grant usage on schema vault to service_role;

create schema graphql;
create schema graphql_public;
create sequence graphql.seq_schema_version as int cycle;
create function graphql_public.graphql("operationName" text default null, query text default null, variables jsonb default null)
  returns jsonb language sql as $$ select jsonb_build_object('errors', '[]'::jsonb) $$;
grant usage on schema graphql_public to postgres, anon, authenticated, service_role;

create schema pgbouncer;
alter schema pgbouncer owner to pgbouncer;
create function pgbouncer.get_auth(p_usename text) returns table (username text, password text)
  language plpgsql security definer set search_path = '' as $$
begin
  return query select rolname::text, rolpassword::text from pg_catalog.pg_authid where rolname = $1 and rolcanlogin;
end
$$;
revoke all on function pgbouncer.get_auth(text) from public;
grant execute on function pgbouncer.get_auth(text) to pgbouncer;

-- Event triggers ---------------------------------------------------------------------------------------------------

create function extensions.pgrst_ddl_watch() returns event_trigger language plpgsql as $$
declare
  cmd record;
begin
  for cmd in select * from pg_event_trigger_ddl_commands() loop
    if cmd.command_tag in ('CREATE SCHEMA', 'ALTER SCHEMA', 'CREATE TABLE', 'ALTER TABLE', 'CREATE VIEW', 'CREATE FUNCTION', 'CREATE TYPE')
      and cmd.schema_name is distinct from 'pg_temp'
    then
      notify pgrst, 'reload schema';
    end if;
  end loop;
end
$$;
create function extensions.pgrst_drop_watch() returns event_trigger language plpgsql as $$
declare
  obj record;
begin
  for obj in select * from pg_event_trigger_dropped_objects() loop
    if obj.object_type in ('schema', 'table', 'view', 'function', 'type') and obj.is_temporary is false then
      notify pgrst, 'reload schema';
    end if;
  end loop;
end
$$;
create function extensions.grant_pg_cron_access() returns event_trigger language plpgsql as $$
begin
  if exists (
    select from pg_event_trigger_ddl_commands() as ev join pg_extension as ext on ev.objid = ext.oid where ext.extname = 'pg_cron'
  ) then
    grant usage on schema cron to postgres with grant option;
  end if;
end
$$;
create event trigger pgrst_ddl_watch on ddl_command_end execute function extensions.pgrst_ddl_watch();
create event trigger pgrst_drop_watch on sql_drop execute function extensions.pgrst_drop_watch();
create event trigger issue_pg_cron_access on ddl_command_end when tag in ('CREATE EXTENSION')
  execute function extensions.grant_pg_cron_access();

create publication supabase_realtime;
alter publication supabase_realtime owner to postgres;
create publication supabase_realtime_messages_publication for table realtime.messages;

-- What Belay's catalog reader does not know, in nobody's way.
create text search configuration extensions.simple_words (copy = pg_catalog.simple);
create collation extensions.numeric_order (provider = icu, locale = 'en-u-kn-true');
create foreign data wrapper elsewhere;

reset role;

-- Customers, and the two roles that the application and the support desk connect with.

-- Roles belong to the whole server, so they stay when this migration is rolled back.
do $$
begin
  create role shop_app nologin;
exception when duplicate_object or unique_violation then null;
end $$;
do $$
begin
  create role shop_support nologin;
exception when duplicate_object or unique_violation then null;
end $$;

create domain public.email_address as text
  constraint email_address_shape check (value ~ '^[^@[:space:]]+@[^@[:space:]]+[.][^@[:space:]]+$');

create type public.customer_status as enum ('invited', 'active', 'paused', 'closed');

create function public.touch_updated_at() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  new.updated_at := clock_timestamp();
  return new;
end;
$$;

create table public.customers (
  id bigint generated always as identity primary key,
  email public.email_address not null,
  first_name text not null,
  last_name text not null,
  full_name text generated always as (first_name || ' ' || last_name) stored,
  status public.customer_status not null default 'active',
  country character(2) not null default 'DE',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint customers_country_upper check (country = upper(country))
);

create unique index customers_email_key on public.customers (lower(email::text));
create index customers_status_idx on public.customers (status) where status <> 'active';

create trigger customers_touch before update on public.customers
  for each row execute function public.touch_updated_at();

comment on table public.customers is 'People who buy. Closed accounts keep their row: orders refer to it.';
comment on column public.customers.email is 'Unique without regard to case.';
grant select, insert, update on public.customers to shop_app;
grant select (id, full_name, status, country) on public.customers to shop_support;

-- ROLLBACK START
-- drop table public.customers;
-- drop function public.touch_updated_at();
-- drop type public.customer_status;
-- drop domain public.email_address;
-- ROLLBACK END

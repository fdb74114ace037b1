-- Loyalty points: earned with orders, spent at checkout, and their history.
-- Depends on: 20250106090000_create_customers.sql, 20250304120000_protect_customer_data.sql

create type public.loyalty_reason as enum ('order', 'review', 'birthday', 'spent', 'correction');

create table public.loyalty_events (
  id bigint generated always as identity primary key,
  customer_id bigint not null references public.customers (id) on delete cascade,
  reason public.loyalty_reason not null,
  points integer not null,
  reference text,
  happened_at timestamptz not null,
  details jsonb not null default '{}'::jsonb,
  constraint loyalty_events_points_not_zero check (points <> 0),
  constraint loyalty_events_spent_negative check ((reason = 'spent') = (points < 0) or reason = 'correction')
);

create table public.loyalty_tiers (
  name text primary key,
  from_points integer not null unique,
  discount_percent numeric(4, 2) not null default 0
);

create index loyalty_events_customer_idx on public.loyalty_events (customer_id, happened_at);

create view public.loyalty_balances as
  select customer_id, sum(points)::bigint as points, max(happened_at) as last_event
  from public.loyalty_events
  group by customer_id;

create function public.loyalty_tier(customer bigint) returns text
  language sql stable
  set search_path = ''
as $$
  select t.name
  from public.loyalty_tiers t
  where t.from_points <= coalesce((select b.points from public.loyalty_balances b where b.customer_id = customer), 0)
  order by t.from_points desc
  limit 1
$$;

create function public.refuse_loyalty_change() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  raise exception 'loyalty events are never changed: add a correction';
end;
$$;

create trigger loyalty_events_append_only before update on public.loyalty_events
  for each row execute function public.refuse_loyalty_change();

alter table public.loyalty_events enable row level security;
create policy loyalty_events_own on public.loyalty_events for select to shop_app
  using (customer_id = public.current_customer_id());

comment on table public.loyalty_events is 'What customers were promised: nothing here can be computed again from orders.';
grant select, insert on public.loyalty_events to shop_app;
grant select on public.loyalty_balances, public.loyalty_tiers to shop_app, shop_support;

-- ROLLBACK START
-- drop function public.loyalty_tier(bigint);
-- drop view public.loyalty_balances;
-- drop table public.loyalty_tiers;
-- drop table public.loyalty_events;
-- drop function public.refuse_loyalty_change();
-- drop type public.loyalty_reason;
-- ROLLBACK END

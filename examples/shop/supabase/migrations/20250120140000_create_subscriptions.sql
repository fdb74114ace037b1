-- Subscriptions: a variant, a rhythm, and the day on which the next parcel leaves.
-- Depends on: 20250106090000_create_customers.sql, 20250109101500_create_catalogue.sql, 20250114083000_create_addresses.sql

create type public.subscription_state as enum ('trial', 'running', 'paused', 'ended');

create table public.subscriptions (
  id bigint generated always as identity primary key,
  customer_id bigint not null references public.customers (id),
  address_id bigint references public.addresses (id) on delete set null,
  state public.subscription_state not null default 'trial',
  every interval not null default interval '14 days',
  started_on date not null,
  ended_on date,
  next_parcel_on date,
  constraint subscriptions_ends_after_start check (ended_on is null or ended_on >= started_on),
  constraint subscriptions_ended_has_day check ((state = 'ended') = (ended_on is not null))
);

create table public.subscription_items (
  subscription_id bigint not null references public.subscriptions (id) on delete cascade,
  variant_id integer not null references public.product_variants (id),
  quantity smallint not null default 1 check (quantity between 1 and 20),
  primary key (subscription_id, variant_id)
);

create index subscriptions_customer_idx on public.subscriptions (customer_id);
create index subscriptions_due_idx on public.subscriptions (next_parcel_on) include (customer_id)
  where state in ('trial', 'running');

create procedure public.pause_subscription(subscription bigint)
  language sql
begin atomic
  update public.subscriptions set state = 'paused', next_parcel_on = null where id = subscription;
end;

grant select, insert, update on public.subscriptions, public.subscription_items to shop_app;
revoke execute on procedure public.pause_subscription(bigint) from public;
grant execute on procedure public.pause_subscription(bigint) to shop_app, shop_support;

-- ROLLBACK START
-- drop procedure public.pause_subscription(bigint);
-- drop table public.subscription_items;
-- drop table public.subscriptions;
-- drop type public.subscription_state;
-- ROLLBACK END

-- Orders, one partition for each quarter.
-- Depends on: 20250106090000_create_customers.sql, 20250120140000_create_subscriptions.sql

create type public.order_state as enum ('placed', 'paid', 'packed', 'sent', 'delivered', 'cancelled');

create sequence public.order_number_seq as bigint start with 500000 cache 20;

create table public.orders (
  id bigint not null default nextval('public.order_number_seq'::regclass),
  placed_on date not null,
  customer_id bigint not null references public.customers (id),
  subscription_id bigint references public.subscriptions (id) on delete set null,
  state public.order_state not null default 'placed',
  note text,
  updated_at timestamptz not null default now(),
  primary key (id, placed_on)
) partition by range (placed_on);

alter sequence public.order_number_seq owned by public.orders.id;

create table public.orders_2024_q1 partition of public.orders for values from ('2024-01-01') to ('2024-04-01');
create table public.orders_2024_q2 partition of public.orders for values from ('2024-04-01') to ('2024-07-01');
create table public.orders_2024_q3 partition of public.orders for values from ('2024-07-01') to ('2024-10-01');
create table public.orders_2024_q4 partition of public.orders for values from ('2024-10-01') to ('2025-01-01');
create table public.orders_2025_q1 partition of public.orders for values from ('2025-01-01') to ('2025-04-01');
create table public.orders_2025_q2 partition of public.orders for values from ('2025-04-01') to ('2025-07-01');
create table public.orders_later partition of public.orders default;

create index orders_customer_idx on public.orders (customer_id, placed_on desc);
create index orders_open_idx on public.orders (placed_on) where state in ('placed', 'paid', 'packed');

create trigger orders_touch before update on public.orders
  for each row when (old.* is distinct from new.*) execute function public.touch_updated_at();

comment on table public.orders is 'Partitioned by the day an order was placed; a new partition each quarter.';
comment on table public.orders_later is 'Catches what no quarter takes; should be empty.';
grant select, insert, update on public.orders to shop_app;
grant usage on sequence public.order_number_seq to shop_app;
grant select on public.orders to shop_support;

-- ROLLBACK START
-- drop table public.orders;
-- drop type public.order_state;
-- ROLLBACK END

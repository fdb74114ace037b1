-- Payments and refunds.
-- Depends on: 20250127093000_create_orders.sql

create type public.payment_method as enum ('card', 'sepa', 'paypal', 'gift_card');

create table public.payments (
  id uuid primary key,
  order_id bigint not null,
  placed_on date not null,
  method public.payment_method not null,
  amount public.cents not null,
  refunded public.cents not null default 0,
  provider_reference text,
  paid_at timestamptz not null,
  foreign key (order_id, placed_on) references public.orders (id, placed_on),
  constraint payments_refund_within check (refunded::integer <= amount::integer)
);

create index payments_order_idx on public.payments (order_id, placed_on);
create index payments_day_idx on public.payments using brin (paid_at) with (pages_per_range = 32);
create unique index payments_reference_key on public.payments (method, provider_reference) nulls not distinct
  where method <> 'gift_card';
grant select, insert on public.payments to shop_app;
grant update (refunded) on public.payments to shop_support;

-- ROLLBACK START
-- drop table public.payments;
-- drop type public.payment_method;
-- ROLLBACK END

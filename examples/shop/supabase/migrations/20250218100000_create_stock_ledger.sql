-- Every movement of stock, and what is on hand.
-- Depends on: 20250109101500_create_catalogue.sql

create type public.stock_reason as enum ('delivery', 'sale', 'return', 'count', 'waste');

create table public.stock_movements (
  id bigint generated always as identity primary key,
  variant_id integer not null references public.product_variants (id),
  reason public.stock_reason not null,
  change integer not null,
  moved_at timestamptz not null,
  constraint stock_movements_not_zero check (change <> 0)
);

create index stock_movements_variant_idx on public.stock_movements (variant_id, moved_at);

create view public.stock_on_hand as
  select v.id as variant_id, v.sku, coalesce(sum(m.change), 0)::bigint as on_hand
  from public.product_variants v
  left join public.stock_movements m on m.variant_id = v.id
  group by v.id, v.sku;

create function public.reorder_quantity(variant integer, target integer default 200) returns integer
  language sql stable
  set search_path = ''
as $$
  select greatest(0, target - on_hand)::integer from public.stock_on_hand where variant_id = variant
$$;

comment on function public.reorder_quantity(integer, integer) is 'Units to order so that the target is on hand again.';
grant select on public.stock_on_hand to shop_support;
grant select, insert on public.stock_movements to shop_app;

-- ROLLBACK START
-- drop function public.reorder_quantity(integer, integer);
-- drop view public.stock_on_hand;
-- drop table public.stock_movements;
-- drop type public.stock_reason;
-- ROLLBACK END

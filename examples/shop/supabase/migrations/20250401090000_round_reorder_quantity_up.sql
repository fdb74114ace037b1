-- Order whole boxes of twelve.
-- Depends on: 20250218100000_create_stock_ledger.sql

create or replace function public.reorder_quantity(variant integer, target integer default 200) returns integer
  language sql stable
  set search_path = ''
as $$
  select (ceil(greatest(0, target - on_hand) / 12.0) * 12)::integer from public.stock_on_hand where variant_id = variant
$$;

-- ROLLBACK START
-- create or replace function public.reorder_quantity(variant integer, target integer default 200) returns integer
--   language sql stable
--   set search_path = ''
-- as $$
--   select greatest(0, target - on_hand)::integer from public.stock_on_hand where variant_id = variant
-- $$;
-- ROLLBACK END

-- Statistics that the planner can't guess: state and date of an order go together.
-- Depends on: 20250127093000_create_orders.sql, 20250130110000_create_order_lines.sql

create statistics public.orders_state_by_day (dependencies, ndistinct, mcv) on state, placed_on from public.orders;
create statistics public.order_lines_price_by_variant (dependencies) on variant_id, unit_price from public.order_lines;
alter table public.order_lines alter column variant_id set statistics 500;
create index order_lines_large_idx on public.order_lines ((quantity * unit_price::integer)) where quantity > 4;
comment on statistics public.orders_state_by_day is 'Old orders are delivered, new ones are not.';

-- ROLLBACK START
-- drop index public.order_lines_large_idx;
-- alter table public.order_lines alter column variant_id set statistics -1;
-- drop statistics public.order_lines_price_by_variant;
-- drop statistics public.orders_state_by_day;
-- ROLLBACK END

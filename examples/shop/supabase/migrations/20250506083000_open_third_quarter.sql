-- A partition for the third quarter of 2025.
-- Depends on: 20250127093000_create_orders.sql

create table public.orders_2025_q3 partition of public.orders for values from ('2025-07-01') to ('2025-10-01');
alter table public.orders_2025_q3 set (autovacuum_vacuum_scale_factor = 0.02);
comment on table public.orders_2025_q3 is 'July to September 2025.';

-- ROLLBACK START
-- -- A partition that foreign keys can point into has to leave its table before it can be dropped.
-- alter table public.orders detach partition public.orders_2025_q3;
-- drop table public.orders_2025_q3;
-- ROLLBACK END

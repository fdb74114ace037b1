-- What was ordered, at the price of that day.
-- Depends on: 20250109101500_create_catalogue.sql, 20250127093000_create_orders.sql

create table public.order_lines (
  order_id bigint not null,
  placed_on date not null,
  line smallint not null,
  variant_id integer not null references public.product_variants (id),
  quantity smallint not null default 1,
  unit_price public.cents not null,
  amount integer generated always as (quantity * unit_price::integer) stored,
  constraint order_lines_pkey primary key (order_id, placed_on, line),
  constraint order_lines_order_fkey foreign key (order_id, placed_on)
    references public.orders (id, placed_on) on update cascade on delete cascade deferrable initially deferred,
  constraint order_lines_quantity_positive check (quantity > 0)
);

create index order_lines_variant_idx on public.order_lines (variant_id);

create view public.order_totals with (security_invoker = true) as
  select o.id, o.placed_on, o.customer_id, o.state,
    coalesce(sum(l.amount), 0)::bigint as total, count(l.line) as lines
  from public.orders o
  left join public.order_lines l on l.order_id = o.id and l.placed_on = o.placed_on
  group by o.id, o.placed_on, o.customer_id, o.state;

comment on view public.order_totals is 'Totals in cents.';
grant select, insert on public.order_lines to shop_app;
grant select on public.order_totals to shop_app, shop_support;

-- ROLLBACK START
-- drop view public.order_totals;
-- drop table public.order_lines;
-- ROLLBACK END

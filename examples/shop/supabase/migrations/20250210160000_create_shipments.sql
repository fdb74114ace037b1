-- Parcels, and the order's state that follows them.
-- Depends on: 20250127093000_create_orders.sql

create table public.carriers (
  code text primary key,
  name text not null,
  tracking_url text not null
);

create table public.shipments (
  id bigint generated always as identity primary key,
  order_id bigint not null,
  placed_on date not null,
  carrier text not null references public.carriers (code) on update cascade,
  tracking_number text not null,
  sent_at timestamptz not null,
  delivered_at timestamptz,
  transit interval generated always as (delivered_at - sent_at) stored,
  foreign key (order_id, placed_on) references public.orders (id, placed_on),
  unique (carrier, tracking_number)
) with (fillfactor = 90);

create function public.follow_shipment() returns trigger
  language plpgsql
  security definer
  set search_path = ''
as $$
begin
  update public.orders
  set state = (case when new.delivered_at is null then 'sent' else 'delivered' end)::public.order_state
  where id = new.order_id and placed_on = new.placed_on;
  return new;
end;
$$;

create trigger shipments_follow after update of delivered_at on public.shipments
  for each row execute function public.follow_shipment();

create index shipments_under_way_idx on public.shipments (sent_at) where delivered_at is null;
revoke execute on function public.follow_shipment() from public;
grant select, insert, update on public.shipments to shop_app;
grant select on public.carriers, public.shipments to shop_support;

-- ROLLBACK START
-- drop table public.shipments;
-- drop function public.follow_shipment();
-- drop table public.carriers;
-- ROLLBACK END

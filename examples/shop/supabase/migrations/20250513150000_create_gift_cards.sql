-- Gift cards, not announced yet.
-- Depends on: 20250106090000_create_customers.sql, 20250109101500_create_catalogue.sql

create table public.gift_cards (
  code text collate "C" primary key,
  value public.cents not null,
  bought_by bigint references public.customers (id) on delete set null,
  redeemed_by bigint references public.customers (id) on delete set null,
  valid_during daterange not null,
  constraint gift_cards_code_shape check (code ~ '^[A-Z0-9]{12}$')
);

create rule gift_cards_keep as on delete to public.gift_cards do instead nothing;
grant select, insert, update on public.gift_cards to shop_app;

-- ROLLBACK START
-- drop table public.gift_cards;
-- ROLLBACK END

-- Row-level security: the application sees one customer at a time.
-- Depends on: 20250106090000_create_customers.sql, 20250114083000_create_addresses.sql, 20250120140000_create_subscriptions.sql, 20250225093000_create_reviews.sql

create function public.current_customer_id() returns bigint
  language sql stable
  return nullif(current_setting('shop.customer_id', true), '')::bigint;

alter table public.customers enable row level security;
alter table public.addresses enable row level security;
alter table public.subscriptions enable row level security;
alter table public.reviews enable row level security;
alter table public.reviews force row level security;

create policy customers_own on public.customers to shop_app
  using (id = public.current_customer_id()) with check (id = public.current_customer_id());
create policy customers_support_reads on public.customers for select to shop_support using (true);
create policy addresses_own on public.addresses to shop_app
  using (customer_id = public.current_customer_id()) with check (customer_id = public.current_customer_id());
create policy subscriptions_own on public.subscriptions to shop_app
  using (customer_id = public.current_customer_id());
create policy subscriptions_not_ended on public.subscriptions as restrictive for update to shop_app
  using (state <> 'ended');
create policy reviews_published on public.reviews for select using (published);
create policy reviews_own on public.reviews to shop_app
  using (customer_id = public.current_customer_id()) with check (customer_id = public.current_customer_id());

comment on policy reviews_published on public.reviews is 'Everybody reads what the shop published.';
grant select, insert, update on public.reviews to shop_app;

-- ROLLBACK START
-- revoke select, insert, update on public.reviews from shop_app;
-- drop policy reviews_own on public.reviews;
-- drop policy reviews_published on public.reviews;
-- drop policy subscriptions_not_ended on public.subscriptions;
-- drop policy subscriptions_own on public.subscriptions;
-- drop policy addresses_own on public.addresses;
-- drop policy customers_support_reads on public.customers;
-- drop policy customers_own on public.customers;
-- alter table public.reviews no force row level security;
-- alter table public.reviews disable row level security;
-- alter table public.subscriptions disable row level security;
-- alter table public.addresses disable row level security;
-- alter table public.customers disable row level security;
-- drop function public.current_customer_id();
-- ROLLBACK END

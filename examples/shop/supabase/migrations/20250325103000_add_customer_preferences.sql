-- What customers told us about their taste and their post.
-- Depends on: 20250106090000_create_customers.sql

alter table public.customers
  add column newsletter boolean not null default false,
  add column favourite_roast text,
  add column preferences jsonb;

alter table public.customers
  add constraint customers_roast_known check (favourite_roast in ('light', 'medium', 'dark'));

create index customers_newsletter_idx on public.customers (id) where newsletter;
comment on column public.customers.preferences is 'Answers of the taste quiz, as given.';

-- ROLLBACK START
-- drop index public.customers_newsletter_idx;
-- alter table public.customers drop constraint customers_roast_known;
-- alter table public.customers
--   drop column preferences,
--   drop column favourite_roast,
--   drop column newsletter;
-- ROLLBACK END

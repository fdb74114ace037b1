-- Where customers want their coffee sent.
-- Depends on: 20250106090000_create_customers.sql

create type public.geo_point as (latitude numeric(9, 6), longitude numeric(9, 6));

create table public.addresses (
  id bigint generated always as identity primary key,
  customer_id bigint not null references public.customers (id) on delete cascade,
  label text not null default 'Home',
  street text not null,
  postcode text not null,
  city text not null,
  country character(2) not null,
  location public.geo_point,
  is_default boolean not null default false
);

create index addresses_customer_idx on public.addresses (customer_id);
create unique index addresses_one_default on public.addresses (customer_id) where is_default;
comment on index public.addresses_one_default is 'At most one default address for a customer.';
grant select, insert, update, delete on public.addresses to shop_app;

-- ROLLBACK START
-- drop table public.addresses;
-- drop type public.geo_point;
-- ROLLBACK END

-- Reviews, with an aggregate for a fair average.
-- Depends on: 20250106090000_create_customers.sql, 20250109101500_create_catalogue.sql

create table public.reviews (
  customer_id bigint not null references public.customers (id) on delete cascade,
  product_id integer not null references public.products (id) on delete cascade,
  stars smallint not null constraint reviews_stars_range check (stars between 1 and 5),
  body text not null default '',
  published boolean not null default false,
  written_on date not null,
  primary key (customer_id, product_id)
);

create function public.fair_average_step(state bigint[], stars smallint) returns bigint[]
  language sql immutable
  return array[state[1] + stars, state[2] + 1];

create function public.fair_average_end(state bigint[]) returns numeric
  language sql immutable
  return round((state[1] + 3 * 5)::numeric / (state[2] + 5), 2);

create aggregate public.fair_average(smallint) (
  sfunc = public.fair_average_step,
  stype = bigint[],
  finalfunc = public.fair_average_end,
  initcond = '{0,0}'
);

create view public.product_ratings as
  select p.id as product_id, p.name, count(r.stars) as reviews, public.fair_average(r.stars) as rating
  from public.products p
  left join public.reviews r on r.product_id = p.id and r.published
  group by p.id, p.name;

create index reviews_product_idx on public.reviews (product_id) where published;
comment on aggregate public.fair_average(smallint) is 'Average as if five reviews of three stars came first.';
grant select on public.product_ratings to public;

-- ROLLBACK START
-- drop view public.product_ratings;
-- drop aggregate public.fair_average(smallint);
-- drop function public.fair_average_end(bigint[]);
-- drop function public.fair_average_step(bigint[], smallint);
-- drop table public.reviews;
-- ROLLBACK END

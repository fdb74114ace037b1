-- Monthly figures for the people who plan.
-- Depends on: 20250130110000_create_order_lines.sql

create schema reporting;
comment on schema reporting is 'Figures that are computed again each night.';

create materialized view reporting.monthly_revenue as
  select date_trunc('month', t.placed_on::timestamp)::date as month, count(*) as orders, sum(t.total)::bigint as revenue
  from public.order_totals t
  where t.state <> 'cancelled'
  group by 1
with data;

create unique index monthly_revenue_month_key on reporting.monthly_revenue (month);

create view reporting.revenue_growth as
  select month, revenue, revenue - lag(revenue) over (order by month) as growth
  from reporting.monthly_revenue;

alter default privileges in schema reporting grant select on tables to shop_support;
grant usage on schema reporting to shop_support;
grant select on reporting.monthly_revenue, reporting.revenue_growth to shop_support;

-- ROLLBACK START
-- drop view reporting.revenue_growth;
-- drop materialized view reporting.monthly_revenue;
-- alter default privileges in schema reporting revoke select on tables from shop_support;
-- drop schema reporting;
-- ROLLBACK END

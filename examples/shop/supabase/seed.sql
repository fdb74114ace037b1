-- Rows for the example, the same on every run: numbers come from arithmetic, never from random() or the clock.

insert into public.customers (email, first_name, last_name, status, country, created_at, updated_at,
  newsletter, favourite_roast, preferences)
select 'customer' || i || '@example.com',
  (array['Ada', 'Bela', 'Chidi', 'Dana', 'Emil', 'Fatou', 'Goran', 'Hana', 'Ines', 'Jonas', 'Kira'])[1 + i % 11],
  (array['Abel', 'Brandt', 'Costa', 'Dubois', 'Eriksen', 'Fischer', 'Ganz'])[1 + i / 11 % 7] || ' ' || i,
  (case when i % 41 = 0 then 'closed' when i % 17 = 0 then 'paused' when i % 97 = 0 then 'invited' else 'active' end)
    ::public.customer_status,
  (array['DE', 'AT', 'CH', 'FR', 'NL'])[1 + i % 5],
  timestamptz '2023-11-01 08:00:00+00' + i * interval '37 minutes',
  timestamptz '2024-06-01 08:00:00+00' + i * interval '41 minutes',
  i % 3 = 0,
  (array['light', 'medium', 'dark', null])[1 + i % 4],
  case when i % 5 <> 0 then
    jsonb_build_object('cups', 1 + i % 6, 'milk', i % 2 = 0, 'brew', (array['filter', 'espresso', 'press'])[1 + i % 3])
  end
from generate_series(1, 12000) i;

insert into public.products (id, kind, name, description, origin, tags, attributes)
select i, (case when i % 10 < 8 then 'coffee' else 'equipment' end)::public.product_kind,
  (case when i % 10 < 8 then 'Coffee No. ' else 'Equipment No. ' end) || i,
  'Lot ' || i || E'\twith a tab,\na new line and a \\ backslash.',
  case when i % 10 < 8 then (array['Ethiopia', 'Colombia', 'Kenya', 'Peru', 'Sumatra'])[1 + i % 5] end,
  array['lot-' || i, (array['washed', 'natural', 'honey'])[1 + i % 3]],
  jsonb_build_object('altitude', 900 + i * 10, 'score', 80 + i % 12)
from generate_series(1, 60) i;

insert into public.product_variants (product_id, sku, grams, price)
select p.id, public.next_sku(p.kind), size.grams, size.price + p.id * 5
from public.products p
cross join (values (250, 890), (500, 1650), (1000, 2990)) size (grams, price)
order by p.id, size.grams;

insert into public.addresses (customer_id, label, street, postcode, city, country, location, is_default)
select 1 + (i - 1) % 12000, case when i <= 12000 then 'Home' else 'Office' end,
  'Lindenstraße ' || 1 + i % 180, lpad((10000 + i * 7 % 80000)::text, 5, '0'),
  (array['Berlin', 'Wien', 'Zürich', 'Lyon', 'Utrecht'])[1 + (i - 1) % 5],
  (array['AT', 'CH', 'FR', 'NL', 'DE'])[1 + (i - 1) % 5],
  case when i % 3 = 0 then row(47 + i % 600 / 100.0, 5 + i % 900 / 100.0)::public.geo_point end,
  i <= 12000
from generate_series(1, 15000) i;

insert into public.subscriptions (customer_id, address_id, state, every, started_on, ended_on, next_parcel_on)
select 1 + i * 5 % 12000, 1 + i * 5 % 12000,
  (case when i % 9 = 0 then 'ended' when i % 7 = 0 then 'paused' else 'running' end)::public.subscription_state,
  (7 * (1 + i % 4)) * interval '1 day', date '2024-01-03' + i % 400,
  case when i % 9 = 0 then date '2025-02-20' + i % 30 end,
  case when i % 9 <> 0 and i % 7 <> 0 then date '2025-06-01' + i % 28 end
from generate_series(1, 8000) i;

insert into public.subscription_items (subscription_id, variant_id, quantity)
select s, 1 + (s * 3 + n * 50) % 180, 1 + (s + n) % 3
from generate_series(1, 8000) s cross join generate_series(0, 1) n
where n = 0 or s % 4 = 0;

insert into public.orders (id, placed_on, customer_id, subscription_id, state, note, updated_at)
select nextval('public.order_number_seq'), day, customer_id, subscription_id,
  (case when i % 53 = 0 then 'cancelled' when day < date '2025-06-10' then 'delivered'
    when i % 2 = 0 then 'paid' else 'sent' end)::public.order_state,
  case when i % 29 = 0 then 'Please ring twice, order ' || i end, day + time '10:00' at time zone 'UTC'
from (
  select i, date '2024-01-02' + i * 530 / 40000 as day, 1 + i * 7 % 12000 as customer_id,
    case when i % 3 = 0 then 1 + i % 8000 end as subscription_id
  from generate_series(1, 40000) i
) numbered
order by i;

insert into public.order_lines (order_id, placed_on, line, variant_id, quantity, unit_price)
select o.id, o.placed_on, n, v.id, 1 + (o.id + n) % 5, v.price
from public.orders o
cross join generate_series(1, 2) n
join public.product_variants v on v.id = 1 + (o.id * 11 + n * 59) % 180
order by o.id, n;

insert into public.payments (id, order_id, placed_on, method, amount, refunded, provider_reference, paid_at)
select md5('payment ' || t.id)::uuid, t.id, t.placed_on,
  (array['card', 'sepa', 'paypal'])[1 + t.id % 3]::public.payment_method, t.total,
  case when t.state = 'cancelled' then t.total else 0 end, 'ref-' || t.id,
  t.placed_on + time '11:30' at time zone 'UTC'
from public.order_totals t
order by t.id;

insert into public.carriers values
  ('dhl', 'DHL', 'https://tracking.example/dhl/'),
  ('post', 'Post', 'https://tracking.example/post/'),
  ('bike', 'Bike courier', 'https://tracking.example/bike/');

insert into public.shipments (order_id, placed_on, carrier, tracking_number, sent_at, delivered_at)
select id, placed_on, (array['dhl', 'post', 'bike'])[1 + id % 3], 'T' || id * 13,
  placed_on + time '16:00' at time zone 'UTC',
  case when state = 'delivered' then placed_on + 2 + time '12:00' at time zone 'UTC' + id % 300 * interval '1 minute' end
from public.orders
where state in ('sent', 'delivered')
order by id;

insert into public.stock_movements (variant_id, reason, change, moved_at)
select 1 + i * 17 % 180,
  (case when i % 10 = 0 then 'delivery' when i % 33 = 0 then 'waste' else 'sale' end)::public.stock_reason,
  case when i % 10 = 0 then 40 else -1 - i % 4 end,
  timestamptz '2024-01-01 06:00:00+00' + i * interval '31 minutes'
from generate_series(1, 24000) i;

insert into public.reviews (customer_id, product_id, stars, body, published, written_on)
select 1 + i * 2 % 12000, 1 + i * 13 % 60, 1 + (i * 7 + i / 5) % 5, 'Review ' || i || ': round, a little sweet.', i % 6 <> 0,
  date '2024-02-01' + i % 450
from generate_series(1, 6000) i;

insert into public.loyalty_tiers values ('Bean', 0, 0), ('Roast', 150, 2.5), ('Crema', 300, 5);

insert into public.loyalty_events (customer_id, reason, points, reference, happened_at, details)
select 1 + i * 7 % 12000, reason, case reason when 'spent' then -20 - i % 30 else 5 + i % 60 end,
  case when reason = 'order' then 'order ' || 500000 + i end,
  timestamptz '2024-01-05 09:00:00+00' + i * interval '19 minutes',
  jsonb_build_object('campaign', (array['spring', 'summer', 'autumn', 'winter'])[1 + i % 4], 'step', i)
from (
  select i, (case when i % 9 = 0 then 'spent' when i % 31 = 0 then 'birthday' when i % 23 = 0 then 'review'
    else 'order' end)::public.loyalty_reason as reason
  from generate_series(1, 40000) i
) numbered
order by i;

insert into public.support_agents (name) values ('Mira'), ('Noor'), ('Otto');

insert into public.support_tickets (customer_id, subject, state, opened_at, solved_at, updated_at, agent_id)
select 1 + i * 29 % 12000, (array['Parcel late', 'Wrong grind', 'Change of address', 'Invoice'])[1 + i % 4] || ' #' || i,
  (case when i % 8 = 0 then 'open' when i % 11 = 0 then 'waiting' else 'solved' end)::public.ticket_state,
  timestamptz '2024-03-01 07:00:00+00' + i * interval '3 hours',
  case when i % 8 <> 0 and i % 11 <> 0 then timestamptz '2024-03-02 07:00:00+00' + i * interval '3 hours' end,
  timestamptz '2024-03-02 07:00:00+00' + i * interval '3 hours',
  case when i % 8 <> 0 then 1 + i % 3 end
from generate_series(1, 3000) i;

insert into public.support_messages (ticket_id, from_customer, body, written_at)
select 1 + (i - 1) % 3000, i <= 3000, 'Message ' || i || ' about ticket ' || 1 + (i - 1) % 3000,
  timestamptz '2024-03-01 07:00:00+00' + i * interval '90 minutes'
from generate_series(1, 9000) i;

refresh materialized view reporting.monthly_revenue;
analyze;

-- Who works on a ticket, and the queue of what nobody took yet.
-- Depends on: 20250408113000_create_support_tickets.sql

create table public.support_agents (
  id smallint generated always as identity primary key,
  name text not null unique,
  on_duty boolean not null default true
);

alter table public.support_tickets add column agent_id smallint references public.support_agents (id);

create view public.support_queue as
  select t.id, t.subject, t.opened_at, c.full_name as customer
  from public.support_tickets t
  join public.customers c on c.id = t.customer_id
  where t.state = 'open' and t.agent_id is null;

create index support_tickets_agent_idx on public.support_tickets (agent_id) where state <> 'solved';
grant select on public.support_queue, public.support_agents to shop_support;

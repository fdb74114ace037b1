-- The support desk: tickets and their messages. Reversed by rollbacks/20250423090000_rollback_support_desk.sql.
-- Depends on: 20250106090000_create_customers.sql

create type public.ticket_state as enum ('open', 'waiting', 'solved');

create table public.support_tickets (
  id bigint generated always as identity primary key,
  customer_id bigint not null references public.customers (id),
  subject text not null,
  state public.ticket_state not null default 'open',
  opened_at timestamptz not null,
  solved_at timestamptz,
  updated_at timestamptz not null default now()
);

create table public.support_messages (
  id bigint generated always as identity primary key,
  ticket_id bigint not null references public.support_tickets (id) on delete cascade,
  from_customer boolean not null,
  body text not null,
  written_at timestamptz not null
);

create index support_messages_ticket_idx on public.support_messages (ticket_id, written_at);
create trigger support_tickets_touch before update on public.support_tickets
  for each row execute function public.touch_updated_at();
grant select, insert, update on public.support_tickets, public.support_messages to shop_support;

-- Takes the whole support desk out again, in one go.
-- Reverses:
--   20250408113000_create_support_tickets.sql
--   20250415140000_assign_support_tickets.sql
--   20250422100000_search_support_messages.sql

drop function public.search_support(text, integer);
drop view public.support_queue;
drop table public.support_messages;
drop table public.support_tickets;
drop table public.support_agents;
drop type public.ticket_state;

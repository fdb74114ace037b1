-- Full-text search over support messages.
-- Depends on: 20250408113000_create_support_tickets.sql, 20250415140000_assign_support_tickets.sql

alter table public.support_messages
  add column words tsvector generated always as (to_tsvector('simple'::regconfig, body)) stored;

create index support_messages_words_idx on public.support_messages using gin (words);

create function public.search_support(query text, most integer default 20)
  returns table (ticket_id bigint, subject text, written_at timestamptz)
  language plpgsql stable
  set search_path = ''
as $$
begin
  return query
    select t.id, t.subject, m.written_at
    from public.support_messages m
    join public.support_tickets t on t.id = m.ticket_id
    where m.words @@ websearch_to_tsquery('simple', search_support.query)
    order by m.written_at desc
    limit most;
end;
$$;

grant execute on function public.search_support(text, integer) to shop_support;

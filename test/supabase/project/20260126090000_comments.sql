create table public.comments (
  id bigint generated always as identity primary key,
  post_id uuid not null references public.posts (id) on delete cascade,
  user_id uuid not null references auth.users (id) on delete cascade,
  body text not null,
  written_at timestamptz not null default now()
);
alter table public.comments enable row level security;
create policy "Members read comments" on public.comments for select to authenticated using (true);
create policy "Staff remove comments" on public.comments for delete to authenticated
  using ((auth.jwt() -> 'app_metadata' ->> 'role') = 'staff');

-- ROLLBACK START
-- drop table public.comments;
-- ROLLBACK END

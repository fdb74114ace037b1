create type public.post_state as enum ('draft', 'published');
create table public.posts (
  id uuid primary key default extensions.uuid_generate_v4(),
  author_id uuid not null references public.profiles (id) on delete cascade,
  state public.post_state not null default 'draft',
  title text not null,
  body text not null default '',
  written_at timestamptz not null default now()
);
create index posts_author on public.posts (author_id, written_at desc);
alter table public.posts enable row level security;
create policy "Published posts are visible" on public.posts for select using (state = 'published');
create policy "Authors see and change their posts" on public.posts to authenticated
  using ((select auth.uid()) = author_id) with check ((select auth.uid()) = author_id);
alter publication supabase_realtime add table public.posts;
create view public.published_posts with (security_invoker = true) as
  select p.id, p.title, pr.handle from public.posts p join public.profiles pr on pr.id = p.author_id where p.state = 'published';

-- ROLLBACK START
-- drop view public.published_posts;
-- drop table public.posts;
-- drop type public.post_state;
-- ROLLBACK END

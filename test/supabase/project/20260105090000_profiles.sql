create table public.profiles (
  id uuid primary key references auth.users (id) on delete cascade,
  handle text not null unique,
  bio text,
  created_at timestamptz not null default now()
);
alter table public.profiles enable row level security;
create policy "Profiles are visible to everyone" on public.profiles for select using (true);
create policy "Users edit their own profile" on public.profiles for update to authenticated
  using ((select auth.uid()) = id) with check ((select auth.uid()) = id);

create function public.handle_new_user() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.profiles (id, handle) values (new.id, split_part(new.email, '@', 1));
  return new;
end
$$;
create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();

-- ROLLBACK START
-- drop function public.handle_new_user() cascade;
-- drop table public.profiles;
-- ROLLBACK END

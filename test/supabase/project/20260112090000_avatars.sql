insert into storage.buckets (id, name, public) values ('avatars', 'avatars', true);
create policy "Avatars are public" on storage.objects for select using (bucket_id = 'avatars');
create policy "Users upload their own avatar" on storage.objects for insert to authenticated
  with check (bucket_id = 'avatars' and (storage.foldername(name))[1] = (select auth.uid())::text);
alter table public.profiles add column avatar_path text;

-- ROLLBACK START
-- drop policy "Users upload their own avatar" on storage.objects;
-- drop policy "Avatars are public" on storage.objects;
-- delete from storage.objects where bucket_id = 'avatars';
-- delete from storage.buckets where id = 'avatars';
-- alter table public.profiles drop column avatar_path;
-- ROLLBACK END

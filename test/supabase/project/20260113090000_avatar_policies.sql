create policy "Avatars are public" on storage.objects for select using (bucket_id = 'avatars');
create policy "Users upload their own avatar" on storage.objects for insert to authenticated
  with check (bucket_id = 'avatars' and (storage.foldername(name))[1] = (select auth.uid())::text);

-- ROLLBACK START
-- drop policy "Users upload their own avatar" on storage.objects;
-- drop policy "Avatars are public" on storage.objects;
-- ROLLBACK END

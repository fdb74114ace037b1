insert into storage.buckets (id, name, public) values ('avatars', 'avatars', true);
alter table public.profiles add column avatar_path text;

-- ROLLBACK START
-- delete from storage.objects where bucket_id = 'avatars';
-- delete from storage.buckets where id = 'avatars';
-- alter table public.profiles drop column avatar_path;
-- ROLLBACK END

-- Rows of the test project, as its users would have left them.
insert into auth.users (id, email, raw_app_meta_data, created_at)
  select extensions.uuid_generate_v5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', n::text), 'user' || n || '@example.org',
    jsonb_build_object('provider', 'email'), timestamptz '2026-01-01' + n * interval '1 minute'
  from generate_series(1, 500) n;
update public.profiles set avatar_path = id || '/me.png', bio = 'I am ' || handle;
insert into storage.objects (bucket_id, name, owner_id)
  select 'avatars', avatar_path, id::text from public.profiles;
insert into public.posts (author_id, state, title)
  select p.id, case when n % 3 = 0 then 'draft' else 'published' end::public.post_state, p.handle || ' writes ' || n
  from public.profiles p, generate_series(1, 4) n;
insert into public.comments (post_id, user_id, body)
  select po.id, po.author_id, 'on ' || po.title from public.posts po where po.state = 'published';

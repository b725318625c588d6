-- On a Supabase database PostgREST exposes the public schema to the internet. Every table therefore denies by default;
-- an owner may read their own rows where Supabase's auth.uid() exists; anon and authenticated may write nothing.
-- Heimdex itself connects as the tables' owner, whom row level security does not bind.

DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', t.tablename);
    END LOOP;

    FOR t IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public FROM %I', t.rolname);
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON TABLES FROM %I', t.rolname);
        EXECUTE format('REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM %I', t.rolname);
    END LOOP;

    IF to_regprocedure('auth.uid()') IS NULL THEN
        RETURN;
    END IF;

    CREATE POLICY users_own ON users FOR SELECT USING (supabase_user_id = auth.uid());
    CREATE POLICY user_role_profiles_own ON user_role_profiles FOR SELECT
        USING (user_id IN (SELECT u.user_id FROM users u WHERE u.supabase_user_id = auth.uid()));
    FOR t IN SELECT unnest(ARRAY['videos', 'scenes', 'text_windows', 'frames', 'screen_texts', 'face_profiles', 'face_detections']) AS tablename LOOP
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (owner_id IN '
            '(SELECT u.user_id FROM users u WHERE u.supabase_user_id = auth.uid()))', t.tablename || '_own', t.tablename);
    END LOOP;
    FOR t IN SELECT unnest(ARRAY['video_metadata', 'runs', 'jobs', 'transcript_segments']) AS tablename LOOP
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (video_id IN (SELECT v.video_id FROM videos v '
            'JOIN users u ON u.user_id = v.owner_id WHERE u.supabase_user_id = auth.uid()))', t.tablename || '_own', t.tablename);
    END LOOP;
    FOR t IN SELECT unnest(ARRAY['transcript_words', 'scene_tags']) AS tablename LOOP
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (run_id IN (SELECT r.run_id FROM runs r '
            'JOIN videos v USING (video_id) JOIN users u ON u.user_id = v.owner_id WHERE u.supabase_user_id = auth.uid()))', t.tablename || '_own', t.tablename);
    END LOOP;
END
$$;

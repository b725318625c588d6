-- Puts what a person may do in Heimdex into their access tokens, as `app_metadata.role_profiles`.
--
-- For a Supabase project (hosted or self-hosted) whose database is also Heimdex's: run it as `postgres`, for example in the
-- SQL editor, after Heimdex has started once; then switch it on under Authentication → Hooks → Customize Access Token (JWT)
-- Claims, or with GOTRUE_HOOK_CUSTOM_ACCESS_TOKEN_ENABLED=true and
-- GOTRUE_HOOK_CUSTOM_ACCESS_TOKEN_URI=pg-functions://postgres/public/custom_access_token_hook.
--
-- It can be run again. It never fails a sign-in: a person who is not known yet is a member. The top-level `role` is left
-- alone, PostgREST switches to it. Heimdex decides by the table with every request; the claim is for clients.

CREATE OR REPLACE FUNCTION public.custom_access_token_hook(event jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = '' AS $$
DECLARE
    profiles jsonb;
    claims jsonb := event -> 'claims';
BEGIN
    SELECT coalesce(jsonb_agg(p.role_type ORDER BY p.role_type), '["member"]') INTO profiles
    FROM public.users u JOIN public.user_role_profiles p USING (user_id)
    WHERE u.supabase_user_id = (event ->> 'user_id')::uuid AND u.deleted_at IS NULL AND p.enabled;
    IF jsonb_typeof(claims -> 'app_metadata') IS DISTINCT FROM 'object' THEN
        claims := jsonb_set(claims, '{app_metadata}', '{}');
    END IF;
    RETURN jsonb_build_object('claims', jsonb_set(claims, '{app_metadata,role_profiles}', profiles));
END
$$;

-- Supabase Auth runs it as supabase_auth_admin; nobody else may, least of all through PostgREST.
GRANT USAGE ON SCHEMA public TO supabase_auth_admin;
GRANT EXECUTE ON FUNCTION public.custom_access_token_hook(jsonb) TO supabase_auth_admin;
REVOKE EXECUTE ON FUNCTION public.custom_access_token_hook(jsonb) FROM authenticated, anon, public;

-- It may read these columns and no others. Row level security binds it, so it needs policies of its own.
GRANT SELECT (user_id, supabase_user_id, deleted_at) ON public.users TO supabase_auth_admin;
GRANT SELECT (user_id, role_type, enabled) ON public.user_role_profiles TO supabase_auth_admin;
DROP POLICY IF EXISTS users_for_the_token_hook ON public.users;
CREATE POLICY users_for_the_token_hook ON public.users FOR SELECT TO supabase_auth_admin USING (true);
DROP POLICY IF EXISTS user_role_profiles_for_the_token_hook ON public.user_role_profiles;
CREATE POLICY user_role_profiles_for_the_token_hook ON public.user_role_profiles FOR SELECT TO supabase_auth_admin USING (true);

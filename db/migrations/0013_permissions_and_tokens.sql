-- API tokens that can be told apart, and what PostgREST's roles may call.

-- Its first characters, so that a person knows which token is which; and a token that may do nothing is a mistake.
ALTER TABLE api_tokens
    ADD COLUMN hint text NOT NULL DEFAULT '',
    ADD CONSTRAINT api_tokens_scopes_some CHECK (cardinality(scopes) > 0);

CREATE INDEX users_newest ON users (created_at DESC, user_id DESC);
CREATE INDEX user_role_profiles_by_type ON user_role_profiles (role_type, user_id) WHERE enabled;

-- Functions are everybody's by default, whatever is revoked from a single role. Triggers go on working: whether a function
-- may be executed is asked when the trigger is made.
DO $$
DECLARE
    o record;
    r record;
BEGIN
    FOR o IN SELECT p.oid::regprocedure AS name FROM pg_proc p
             WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'heimdex\_%' LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', o.name);
    END LOOP;
    FOR r IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        FOR o IN SELECT p.oid::regprocedure AS name FROM pg_proc p
                 WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'heimdex\_%' LOOP
            EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %I', o.name, r.rolname);
        END LOOP;
        -- The rows of a table that denies by default are numbered by sequences that did not.
        FOR o IN SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
                 JOIN pg_class t ON t.oid = d.refobjid
                 WHERE c.relkind = 'S' AND n.nspname = 'public' AND t.relrowsecurity LOOP
            EXECUTE format('REVOKE ALL ON SEQUENCE %s FROM %I', o.name, r.rolname);
        END LOOP;
        EXECUTE format('REVOKE REFERENCES, TRIGGER ON ALL TABLES IN SCHEMA public FROM %I', r.rolname);
        -- The same for what comes later.
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE REFERENCES, TRIGGER ON TABLES FROM %I', r.rolname);
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM %I', r.rolname);
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON FUNCTIONS FROM %I', r.rolname);
    END LOOP;
END
$$;

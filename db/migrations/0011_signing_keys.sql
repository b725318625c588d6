-- Turning signing keys: at most one waits, and every API process hears of a change at once.

CREATE UNIQUE INDEX auth_signing_keys_one_standby ON auth_signing_keys ((true)) WHERE state = 'standby';

CREATE FUNCTION heimdex_signing_keys_changed() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    PERFORM pg_catalog.pg_notify('heimdex_signing_keys', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER auth_signing_keys_changed AFTER INSERT OR UPDATE OR DELETE ON auth_signing_keys
    FOR EACH STATEMENT EXECUTE FUNCTION heimdex_signing_keys_changed();
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION heimdex_signing_keys_changed() FROM %I', t.rolname);
    END LOOP;
END
$$;

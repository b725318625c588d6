#!/bin/sh
# Run once by the PostgreSQL image on an empty data folder: what Supabase's auth server expects to find.
set -eu
psql --set=ON_ERROR_STOP=1 --set=password="$AUTH_DATABASE_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE anon NOLOGIN;
CREATE ROLE authenticated NOLOGIN;
CREATE ROLE service_role NOLOGIN BYPASSRLS;
CREATE ROLE supabase_auth_admin NOINHERIT CREATEROLE LOGIN PASSWORD :'password';
ALTER ROLE supabase_auth_admin SET search_path = auth;
CREATE SCHEMA auth AUTHORIZATION supabase_auth_admin;
GRANT CREATE ON DATABASE :"DBNAME" TO supabase_auth_admin;
SQL

# Asking the compiler for the metadata of every checked query, from a database with today's schema.
# Sourced after common.sh and postgres.sh.

# migrate_by_files URL: the queue's schema and ours, from their files alone, so that it works while the code does not compile.
migrate_by_files() {
  local folder migration
  folder=$(cd "$repo" && cargo metadata --quiet --format-version 1 --locked | python3 -c '
import json, os, sys
packages = json.load(sys.stdin)["packages"]
print(next(os.path.dirname(p["manifest_path"]) for p in packages if p["name"] == "apalis-postgres"))')
  for migration in "$repo"/db/migrations/*.sql "$folder"/migrations/*.sql; do
    PGOPTIONS='--client-min-messages=warning' "$postgres_bin/psql" --no-psqlrc --quiet --output=/dev/null --set=ON_ERROR_STOP=1 \
      --dbname="$1" --file="$migration" || return 1
  done
}

# ask_queries SERVER FOLDER: writes the metadata of heimdex-db's queries into the folder.
ask_queries() {
  local name
  name=heimdex_queries_$(secret 4)
  postgres_query "$1/postgres" "CREATE DATABASE $name"
  mkdir -p "$2"
  # Dependencies first, without a database: the queue's crate has queries of its own, which are not ours to keep. That our own
  # crate may not compile from old metadata is what this is for.
  (cd "$repo" && env -u DATABASE_URL SQLX_OFFLINE=true cargo check --quiet --locked --package heimdex-db --lib >/dev/null 2>&1) || true
  # A cfg nobody reads makes cargo check this one crate anew, and its macros ask the database.
  migrate_by_files "$1/$name" &&
    (cd "$repo" && DATABASE_URL=$1/$name SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$2 \
      cargo rustc --quiet --locked --package heimdex-db --lib --profile check -- --cfg "asked_$(secret 4)")
  local status=$?
  postgres_query "$1/postgres" "DROP DATABASE $name WITH (FORCE)"
  return $status
}

# The parts of Heimdex on this machine: PostgreSQL, S3, the API and a worker, on loopback, with one data folder.
# Sourced after common.sh, build.sh, postgres.sh and services.sh. DATABASE_URL, S3_ENDPOINT or SUPABASE_URL, when given,
# replace the embedded part of that kind.

# choose_ports BASE: the API's port and, from it, the others; each can be set by its own variable.
choose_ports() {
  api_port=$1
  api_metrics_port=${HEIMDEX_METRICS_PORT:-$((api_port + 1))}
  worker_metrics_port=${HEIMDEX_WORKER_METRICS_PORT:-$((api_port + 2))}
  s3_port=${HEIMDEX_S3_PORT:-$((api_port + 10))}
  postgres_port=${HEIMDEX_POSTGRES_PORT:-$((api_port + 12))}
}

# check_ports: each one is free, or it is named.
check_ports() {
  local what port taken=()
  while read -r port what; do
    port_free "$port" || taken+=("$port (for $what)")
  done < <(
    echo "$api_port the API"
    echo "$api_metrics_port the API's metrics"
    echo "$worker_metrics_port the worker's metrics"
    [ -n "${S3_ENDPOINT:-}" ] || echo "$s3_port S3"
    [ -n "${DATABASE_URL:-}" ] || echo "$postgres_port PostgreSQL"
  )
  [ "${#taken[@]}" = 0 ] || die "in use by another program: $(printf '%s; ' "${taken[@]}")choose other ports with --port N"
}

# prepare_data: the data folder, its lock and its secrets, made once.
prepare_data() {
  mkdir -p "$data" 2>/dev/null && [ -w "$data" ] || die "cannot write to $data; set HEIMDEX_DATA to a folder of your own"
  exec 8>"$data/lock"
  flock --nonblock 8 || die "Heimdex is already running on $data; stop that one first, or choose another folder by HEIMDEX_DATA"
  mkdir -p "$data/logs" "$data/s3" "$data/scratch"
  chmod 700 "$data/logs" "$data/s3" "$data/scratch"
  if [ ! -s "$data/secrets" ]; then
    (umask 077; cat >"$data/secrets.new" <<EOF
postgres_password=$(secret 24)
s3_access_key_id=$(secret 10)
s3_secret_access_key=$(secret 24)
demo_password=$(secret 6)
EOF
    )
    mv "$data/secrets.new" "$data/secrets"
  fi
  # Folders of earlier versions have none.
  grep -q '^auth_secret_key=' "$data/secrets" || echo "auth_secret_key=sb_secret_$(secret 24)" >>"$data/secrets"
  # shellcheck disable=SC1091
  . "$data/secrets"
}

# What start_postgres sets beyond its own; a later setting wins.
postgres_settings=()

start_postgres() {
  if [ -n "${DATABASE_URL:-}" ]; then say "PostgreSQL: the one of DATABASE_URL"; return; fi
  install_postgres
  # shellcheck disable=SC2154 # from the secrets
  init_postgres "$data/postgres" "$postgres_password"
  postgres_command "$data/postgres" "$postgres_port" max_wal_size=2GB "${postgres_settings[@]}"
  export DATABASE_URL=postgres://heimdex:$postgres_password@127.0.0.1:$postgres_port/heimdex
  local admin=${DATABASE_URL%/heimdex}/postgres
  start_service PostgreSQL "$data/logs/postgres.log" INT "${postgres_run[@]}"
  await_service PostgreSQL 60 postgres_ready "$admin"
  if [ -z "$(postgres_query "$admin" "SELECT 1 FROM pg_database WHERE datname = 'heimdex'")" ]; then
    postgres_query "$admin" 'CREATE DATABASE heimdex'
  fi
}

start_s3() {
  export S3_BUCKET=${S3_BUCKET:-heimdex} S3_REGION=${S3_REGION:-us-east-1}
  if [ -n "${S3_ENDPOINT:-}" ]; then say "S3: $S3_ENDPOINT"; return; fi
  # shellcheck disable=SC2154 # from the secrets
  export S3_ACCESS_KEY_ID=$s3_access_key_id S3_SECRET_ACCESS_KEY=$s3_secret_access_key
  export S3_ENDPOINT=http://127.0.0.1:$s3_port
  start_service S3 "$data/logs/s3.log" TERM env "HEIMDEX_S3_BIND=127.0.0.1:$s3_port" "HEIMDEX_S3_ROOT=$data/s3" "$programs/heimdex-s3"
  await_service S3 20 answers "$S3_ENDPOINT/.heimdex/live"
}

start_api() {
  api_url=http://127.0.0.1:$api_port
  if [ -z "${SUPABASE_URL:-}" ]; then
    # shellcheck disable=SC2154 # from the secrets
    export SUPABASE_SECRET_KEY=${SUPABASE_SECRET_KEY:-$auth_secret_key}
    # Nothing here sends mail: who is at this machine may read it.
    [ -n "${HEIMDEX_SMTP_URL:-}" ] || export HEIMDEX_LOCAL_OUTBOX=${HEIMDEX_LOCAL_OUTBOX:-true}
  fi
  # The demonstration shows what it can; elsewhere faces are looked for only where somebody switched it on.
  export FEATURE_FACES=${FEATURE_FACES:-true}
  export HEIMDEX_API_BIND=127.0.0.1:$api_port HEIMDEX_METRICS_BIND=127.0.0.1:$api_metrics_port
  export HEIMDEX_PUBLIC_URL=$api_url HEIMDEX_WEB_DIR=$web_dist
  start_service "the API" "$data/logs/api.log" TERM "$programs/heimdex-api"
  await_service "the API" 60 answers "$api_url/health/ready"
}

start_worker() {
  export HEIMDEX_SCRATCH_DIR=$data/scratch HEIMDEX_WORKER_METRICS_BIND=127.0.0.1:$worker_metrics_port
  start_service "the worker" "$data/logs/worker.log" TERM "$programs/heimdex-worker"
  await_service "the worker" 60 answers "http://127.0.0.1:$worker_metrics_port/metrics"
}

# start_heimdex NAME [without-worker]: everything but the dashboard, in $data and on free ports, with an account that has no limits.
start_heimdex() {
  local ports
  web_dist=''
  prepare_data
  mapfile -t ports < <(free_ports 5)
  api_port=${ports[0]} api_metrics_port=${ports[1]} worker_metrics_port=${ports[2]} s3_port=${ports[3]} postgres_port=${ports[4]}
  build_programs
  say "starting (logs in $data/logs)"
  start_postgres
  start_s3
  start_api
  if [ "${2:-}" != without-worker ]; then start_worker; fi
  export HEIMDEX_EMAIL=${1,,}@heimdex.example HEIMDEX_PASSWORD=$demo_password
  "$programs/heimdex-api" demo-account --name "$1" --email "$HEIMDEX_EMAIL" --password "$HEIMDEX_PASSWORD" >>"$data/logs/api.log" 2>&1 ||
    { show_log "the API"; die "the account could not be made"; }
}

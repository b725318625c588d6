# Builds the programs and the dashboard into the cache folder; the clone stays as it is.
# Sourced after common.sh.

profile=${HEIMDEX_PROFILE:-release}
case "$profile" in
  release) cargo_profile=(--profile release) profile_folder=release ;;
  dev) cargo_profile=(--profile dev) profile_folder=debug ;;
  *) die "HEIMDEX_PROFILE is '$profile'; it can be 'release' or 'dev'" ;;
esac

# What is built; scripts/test widens it to what it has compiled already.
cargo_targets=(--package heimdex-s3-server --package heimdex-api --package heimdex-worker --package heimdex-cli --bins)

# cargo_fetch_flags: once everything in the lock file has been fetched, cargo needs no network and is told so.
cargo_fetch_flags() {
  local lock
  lock=$(sha256sum <"$repo/Cargo.lock")
  if [ "$(stamp "$CARGO_TARGET_DIR/.fetched")" = "$lock" ]; then
    echo --frozen
  else
    echo --locked
  fi
}

# room_gib: what is free where the cache lies.
room_gib() { df --output=avail --block-size=1G "$CARGO_TARGET_DIR" | tail -n 1 | tr -dc 0-9; }

# make_room GIB: what cargo compiled for clones and changes past is never removed by cargo, and fills any disk in the end. It goes when
# there is less room than that; what was compiled of dependencies stays.
make_room() {
  [ "$(room_gib)" -lt "$1" ] || return 0
  say "$(room_gib) GiB are left for $1: removing what older builds left in $CARGO_TARGET_DIR"
  rm -rf "$CARGO_TARGET_DIR"/*/incremental
  (cd "$repo" && cargo clean --quiet --workspace "${cargo_profile[@]}")
  [ "$(room_gib)" -ge "$1" ] || say "only $(room_gib) GiB are left where $CARGO_TARGET_DIR lies; this may fail for lack of room"
}

cargo_fetched() { sha256sum <"$repo/Cargo.lock" >"$CARGO_TARGET_DIR/.fetched"; }

# build_programs: sets $programs, the folder of heimdex-api, heimdex-worker, heimdex-s3 and heimdex. HEIMDEX_PROGRAMS, when given, is one
# that has them.
build_programs() {
  if [ -n "${HEIMDEX_PROGRAMS:-}" ]; then
    programs=$HEIMDEX_PROGRAMS
    return
  fi
  programs=$CARGO_TARGET_DIR/$profile_folder
  mkdir -p "$CARGO_TARGET_DIR"
  [ -x "$programs/heimdex-worker" ] || say "building (the first time takes many minutes)"
  (cd "$repo" && cargo build --quiet "$(cargo_fetch_flags)" "${cargo_profile[@]}" "${cargo_targets[@]}") ||
    die "the build failed"
  cargo_fetched
}

# web_folder: a copy of web/ in the cache, so that node_modules and the build lie there.
sync_web() {
  web=$cache/web
  mkdir -p "$web"
  find "$web" -mindepth 1 -maxdepth 1 ! -name node_modules ! -name dist ! -name '.stamp*' -exec rm -rf {} +
  (cd "$repo/web" && tar --exclude=./node_modules --exclude=./dist -cf - .) | tar -xf - -C "$web"
  local lock
  lock=$(cat "$web/package.json" "$web/package-lock.json" | sha256sum)
  if [ "$(stamp "$web/.stamp-modules")" != "$lock" ] || [ ! -d "$web/node_modules" ]; then
    say "installing the dashboard's packages"
    rm -f "$web/.stamp-modules"
    (cd "$web" && npm ci --no-audit --loglevel=error >&2) || die "npm ci failed; is the package registry reachable?"
    echo "$lock" >"$web/.stamp-modules"
  fi
}

web_sources() {
  (cd "$repo/web" && find . \( -name node_modules -o -name dist \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum) | sha256sum
}

# build_web: sets $web_dist. Nothing is done when no source has changed.
build_web() {
  local sources
  web_dist=$cache/web/dist
  sources=$(web_sources)
  if [ "$(stamp "$cache/web/.stamp-dist")" = "$sources" ] && [ -s "$web_dist/index.html" ]; then return; fi
  sync_web
  say "building the dashboard"
  rm -f "$web/.stamp-dist"
  (cd "$web" && npm run build --silent >&2) || die "the dashboard's build failed"
  echo "$sources" >"$web/.stamp-dist"
}

# What must be on the machine, each found out by trying it, and the Debian package that brings it.
# Sourced after common.sh.

missing=()

# need PACKAGE COMMAND...: the command succeeds, or the package is missing.
need() {
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}

has() { command -v "$1"; }

# What runs the system.
need_to_run() {
  need python3 has python3
  need python3-venv python3 -c 'import ensurepip, venv'
  need curl has curl
  need util-linux has setpriv
  need ffmpeg has ffmpeg
  # The voices and letters of the sample video.
  need flite has flite
  need espeak-ng has espeak-ng
  need fonts-dejavu-core test -e /usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf
}

# What builds it, beside Rust and Node.js.
need_to_build() {
  local library
  need build-essential has cc
  need pkg-config has pkg-config
  need clang has clang
  need libclang-dev libclang
  for library in avcodec avformat avutil avfilter avdevice swscale swresample; do
    need "lib$library-dev" pkg-config --exists "lib$library"
  done
}

libclang() { compgen -G '/usr/lib/*/libclang*.so*' || compgen -G '/usr/lib/llvm-*/lib/libclang*.so*'; }

# Chinese and Korean letters, to be read again.
need_letters() { need fonts-wqy-microhei test -e /usr/share/fonts/truetype/wqy/wqy-microhei.ttc; }

# What the tests use besides.
need_to_test() {
  need_letters
  need shellcheck has shellcheck
  need chromium chromium_path
}

chromium_path() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

# install_missing: installs them, or says what to run.
install_missing() {
  [ "${#missing[@]}" = 0 ] && return
  local line="apt-get install -y --no-install-recommends ${missing[*]}"
  if ! command -v apt-get >/dev/null; then
    die "missing, by their Debian names: ${missing[*]}. Install them with this system's package manager and run this again."
  elif [ "$(id -u)" = 0 ]; then
    as_root=()
  elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=(sudo)
  else
    die "missing: ${missing[*]}. Run this as root, then run this script again:
  apt-get update && $line"
  fi
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # the line is words
  { "${as_root[@]}" apt-get update -qq && "${as_root[@]}" $line -qq >/dev/null; } ||
    die "could not install ${missing[*]}; try yourself: apt-get update && $line"
  missing=()
}

# toolchains: Rust and Node.js come from their own installers, not from Debian.
toolchains() {
  local rust node
  command -v cargo >/dev/null || die "cargo is missing: install Rust 1.95 or later (https://rustup.rs)"
  rust=$(cargo --version | cut -d' ' -f2)
  newer "$rust" 1.95 || die "Rust $rust is too old: 1.95 or later is needed (rustup update)"
  command -v node >/dev/null && command -v npm >/dev/null || die "node or npm is missing: install Node.js 20.19 or later"
  node=$(node --version)
  newer "${node#v}" 20.19 || die "Node.js $node is too old: 20.19 or later is needed"
}

# newer HAVE WANT: HAVE is WANT or later.
newer() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

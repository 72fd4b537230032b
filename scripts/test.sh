#!/bin/sh
# Everything a change must pass. BURES_DATA and BURES_FIXTURES, when set, name the folders with the published data sets
# and the golden values; tests that need them are skipped without.
set -eu
cd "$(dirname "$0")/.."

step() {
    printf '\n== %s\n' "$*"
    "$@"
}

scripts/setup-software-adapter.sh

BURES_SKIP_LOG=$(mktemp)
export BURES_SKIP_LOG
trap 'rm -f "$BURES_SKIP_LOG"' EXIT

step cargo fmt --check
step cargo clippy --release --all-targets -- -D warnings
step env RUSTDOCFLAGS='-D warnings' cargo doc --release --no-deps
step cargo test --release --no-default-features
step cargo test --release
step scripts/check-skips.sh "$BURES_SKIP_LOG"

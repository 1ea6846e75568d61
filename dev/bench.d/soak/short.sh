#!/usr/bin/env bash
# The soak as dev/test runs it: a minute of it, with the debug build, on a stack of its own, and with little to say.
#
# LARDER_BENCH_SEED is what the rows are made from, a random number without it; LARDER_BENCH_SECONDS (60) how long it takes.
# LARDER_BINARY names the executable to test; without it, that is the one of the debug build. Logs are left in .larder/soak.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../lib/common.sh"
source "$checkout/dev/lib/packages.sh"
cd "$checkout"

seconds=${LARDER_BENCH_SECONDS:-60}
seed=${LARDER_BENCH_SEED:-$RANDOM}
binary=${LARDER_BINARY:-$(swift build --show-bin-path)/larder}
[[ -x $binary ]] || die "there is no executable $binary; run swift build, or set LARDER_BINARY"
ensure_packages servers python

make_local_directory
exec 7>"$local_directory/soak.lock"
flock -n 7 || die "another soak is running in this checkout"

export LARDER_STACK_NAME=soak
remove_stack() { "$checkout/dev/stack" remove 7>&- || true; }
# What a killed run has left.
remove_stack
trap remove_stack EXIT
trap 'exit 130' INT TERM
"$checkout/dev/stack" start --ephemeral 7>&-
stack_environment=$("$checkout/dev/stack" env 7>&-)
eval "$stack_environment"

say "== soak, $seconds s; again: LARDER_BENCH_SECONDS=$seconds LARDER_BENCH_SEED=$seed dev/bench.d/soak/short.sh"
results="$local_directory/soak-results"
if ! PYTHONPATH="$checkout/dev/bench.d/serving" PYTHONDONTWRITEBYTECODE=1 python3 dev/bench.d/soak/soak.py \
    "$binary" "$local_directory/soak" "$seconds" "$seed" >"$results" 7>&-; then
    cat "$results" >&2
    die "the soak failed"
fi

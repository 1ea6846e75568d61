# push: rows per second, durable in PostgreSQL and visible online, of pushes of one row and of a thousand; beside Feast
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# Feast's server pushes to Redis alone, Larder's to PostgreSQL first. Each push is of random users and of its own time, so
# that none is passed over as known, and each has to be answered with 200. After each run all rows have to be in PostgreSQL,
# and the newest of a sample of users online. Larder begins with an empty database each time.
#
# LARDER_BENCH_ROUNDS (3) is how often everybody is timed, LARDER_BENCH_SECONDS (10) for about how long; for less nothing is
# judged. LARDER_BENCH_ONLY=single measures one row only. LARDER_BENCH_KEEP=1 leaves the stack with Feast's part of it for the
# next run with it.

source "$checkout/dev/lib/python.sh"
source "$checkout/dev/lib/kept_stack.sh"
source "$checkout/dev/bench.d/serving/prepare.sh"

rounds=${LARDER_BENCH_ROUNDS:-3}
seconds=${LARDER_BENCH_SECONDS:-10}
data="$bench_directory/push"

export LARDER_STACK_NAME=bench-push

print_fingerprint() { fingerprint_of dev/bench.d/push/{world,write_definitions,load_feast}.py; }

load_everything() {
    "$python" dev/bench.d/push/write_definitions.py "$data"
    make_feast_database
    "$python" dev/bench.d/push/load_feast.py "$data" >&2
}

# What a machine that takes as many rows would be given: the index of a few million rows stays in memory, and neither
# PostgreSQL nor Redis begins to write all of it anew every few seconds.
tune_servers() {
    as_superuser <<<"ALTER SYSTEM SET shared_buffers = '1GB'"
    as_superuser <<<"ALTER SYSTEM SET max_wal_size = '8GB'"
    "$checkout/dev/stack" restart postgres 8>&-
    redis_says CONFIG SET auto-aof-rewrite-min-size 512mb >&2
}

# What an earlier run pushed would make the next one slower.
use_empty_larder() {
    as_superuser <<<"DROP DATABASE IF EXISTS push WITH (FORCE)"
    redis_says -n 0 FLUSHDB >&2
    use_new_database push
    larder migrate >&2
    larder apply "$data/definitions" --yes >&2
    # A view that was never published takes pushes, and does not show them.
    larder materialize >&2
    checkpoint
}

benchmark() {
    local python load wanted=()
    prepare_programs
    enter_loaded_stack
    tune_servers
    use_empty_larder
    IFS=, read -ra wanted <<<"${LARDER_BENCH_ONLY:-}"
    "$python" dev/bench.d/push/bench.py "$binary" "$load" "$data" "$rounds" "$seconds" "${wanted[@]}" 8>&-
}

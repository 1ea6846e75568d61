# materialize: entities per second from PostgreSQL to Redis, beside `redis-cli --pipe` and Feast; memory; kill -9 midway
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# publish: a million entities with ten features of several types, computed into the offline store beforehand. Each run is
# `larder materialize --only online` as a whole process into an empty Redis, which is also what refills one that lost its
# data, and its result is checked. Redis is the same for all: it logs its writes, and waits for the disk once a second.
# Memory is the peak of larder's PSS, in a run of its own.
#
# kill: in a database of its own the same entities are published, and newer rows, late ones, corrections, nulls and
# tombstones are ingested. Then `larder materialize` is killed eight times, at random moments of computing and of
# publishing, and everything is read after each kill: every entity has to have the old answer or the new one, and the new
# one once it had it. After a last run, which nobody kills, each has to have the new one. It takes some minutes.
#
# LARDER_BENCH_ROWS (1000000) is how many entities there are; with fewer nothing is judged. LARDER_BENCH_ROUNDS (3) is how
# often both are timed. LARDER_BENCH_FEAST_ROWS (100000) is the slice that Feast gets, 0 leaves it out.
# LARDER_BENCH_ONLY=kill measures one row only. LARDER_BENCH_SEED is what the changes and the moments of the kills are made
# from, a random number without it; it is printed. LARDER_BENCH_KEEP=1 leaves the loaded stack for the next run with it, as
# for online.

source "$checkout/dev/lib/python.sh"
source "$checkout/dev/lib/kept_stack.sh"
source "$checkout/dev/bench.d/serving/prepare.sh"

table_rows=${LARDER_BENCH_ROWS:-1000000}
feast_rows=${LARDER_BENCH_FEAST_ROWS:-100000}
rounds=${LARDER_BENCH_ROUNDS:-3}
seed=${LARDER_BENCH_SEED:-$RANDOM}
data="$bench_directory/materialize"

export LARDER_STACK_NAME=bench-materialize

print_fingerprint() {
    echo "$table_rows $feast_rows"
    fingerprint_of dev/bench.d/materialize/{world,write_data,load_feast}.py
}

load_everything() {
    say "writing $table_rows rows"
    "$python" dev/bench.d/materialize/write_data.py "$data" "$table_rows"
    load_larder "$data" --only offline
    [[ $feast_rows -gt 0 ]] || return 0
    make_feast_database
    "$python" dev/bench.d/materialize/load_feast.py "$data" "$feast_rows" >&2
}

# For the row kill.
drop_kill_database() { as_superuser <<<"DROP DATABASE IF EXISTS kill WITH (FORCE)"; }

benchmark() {
    local python load wanted=()
    [[ $feast_rows -le $table_rows ]] || feast_rows=$table_rows
    prepare_programs
    enter_loaded_stack
    larder migrate >&2
    drop_kill_database
    as_superuser <<<"CREATE DATABASE kill OWNER larder"
    IFS=, read -ra wanted <<<"${LARDER_BENCH_ONLY:-}"
    "$python" dev/bench.d/materialize/bench.py "$binary" "$data" "$table_rows" "$rounds" "$feast_rows" "$seed" \
        "${wanted[@]}" 8>&-
    drop_kill_database
}

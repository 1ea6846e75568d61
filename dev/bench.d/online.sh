# online: online features beside Redis' own MGET and Feast's server; req/s, p99, 50 features of five views, bytes in Redis
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# online/rows.py says what each row measures, online/bars.py what it has to reach. A hundred thousand users with five views
# of ten float64 features and one of ten of several types. What serving/forward.c reaches, which only forwards, is no bar. Before anything is timed, answers are compared with the rows that
# were loaded; while Larder is timed, Redis has to find a value for each entity that is asked for.
#
# LARDER_BENCH_USERS (100000) is how many users there are; with fewer (at least 1000) nothing is judged. LARDER_BENCH_ROUNDS
# (3) is how often everybody is timed, LARDER_BENCH_SECONDS (10) for how long. LARDER_BENCH_ONLY=json_1,latency measures
# some rows only. LARDER_BENCH_KEEP=1 leaves the loaded stack for the next run with it, which takes it if data and
# definitions are the same; a run without it begins from nothing, and has to when values are stored in another way.

source "$checkout/dev/lib/python.sh"
source "$checkout/dev/lib/kept_stack.sh"
source "$checkout/dev/bench.d/serving/prepare.sh"

users=${LARDER_BENCH_USERS:-100000}
rounds=${LARDER_BENCH_ROUNDS:-3}
seconds=${LARDER_BENCH_SECONDS:-10}
data="$bench_directory/online"

# A stack beside the one of dev/bench, which never outlives a run.
export LARDER_STACK_NAME=bench-online

print_fingerprint() {
    echo "$users"
    fingerprint_of dev/bench.d/online/{world,write_data,load_feast}.py
}

load_everything() {
    say "writing rows of $users users"
    "$python" dev/bench.d/online/write_data.py "$data" "$users"
    load_larder "$data"
    make_feast_database
    say "loading into Feast"
    "$python" dev/bench.d/online/load_feast.py "$data" >&2
}

benchmark() {
    local python load forward wanted=()
    prepare_programs
    enter_loaded_stack
    # A Redis that was restarted since has to be told from one that was restored; this publishes anew if it must.
    larder migrate >&2
    larder materialize --only online >&2
    IFS=, read -ra wanted <<<"${LARDER_BENCH_ONLY:-}"
    "$python" dev/bench.d/online/bench.py "$binary" "$load" "$forward" "$data" "$users" "$rounds" "$seconds" \
        "${wanted[@]}" 8>&-
}

# training-set: point-in-time joins beside DuckDB and Polars on Parquet and Feast on PostgreSQL; cold, memory, five views
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# training_set/rows.py says what each row measures, training_set/bars.py what it has to reach.
#
# LARDER_BENCH_ROWS (10000000) is the size of the table of users; spines shrink with it, and of a smaller one nothing is
# judged. LARDER_BENCH_ROUNDS (3) is how often everybody is timed. LARDER_BENCH_ONLY=flights,10k measures some rows only.
# LARDER_BENCH_KEEP=1 leaves data and loaded stack for the next run with it, which takes them if rows and definitions are
# the same; a run without it begins from nothing, and has to when rows are stored in another way. LARDER_BENCH_PYTHON is
# another Python with the packages of training_set/requirements.txt.

source "$checkout/dev/lib/python.sh"
source "$checkout/dev/bench.d/training_set/load.sh"

table_rows=${LARDER_BENCH_ROWS:-10000000}
rounds=${LARDER_BENCH_ROUNDS:-3}
data="$bench_directory/training-set"

# A stack beside the one of dev/bench, which never outlives a run.
export LARDER_STACK_NAME=bench-training-set

enter_stack() {
    "$checkout/dev/stack" start 8>&-
    local stack_environment
    stack_environment=$("$checkout/dev/stack" env 8>&-)
    eval "$stack_environment"
    source "$local_directory/stack/$LARDER_STACK_NAME/state"
    export LARDER_BENCH_FEAST_URL=${LARDER_POSTGRES_URL%/*}/feast
}

remove_everything() {
    "$checkout/dev/stack" remove 8>&-
    rm -rf "$data"
}

# What has to be the same for a loaded stack to be taken as it is.
fingerprint() {
    echo "$table_rows"
    cat "$definitions"/*.yaml dev/bench.d/training_set/data.py | sha256sum
}

load_everything() {
    remove_everything
    mkdir -p "$data"
    say "writing the tables, $table_rows rows"
    "$python" dev/bench.d/training_set/data.py "$data" "$table_rows"
    enter_stack
    milliseconds_of load_larder "$data" arrow
    say "loaded into Larder in $((elapsed / 1000)) s"
    as_superuser <<<"CREATE DATABASE feast OWNER larder"
    "$python" dev/bench.d/training_set/feast_store.py "$data" >&2
    # Within minutes autovacuum would do this, in the middle of what is timed.
    as_superuser larder <<<"VACUUM (ANALYZE)"
    checkpoint
    fingerprint >"$data/loaded"
}

benchmark() {
    local python wanted=()
    python=${LARDER_BENCH_PYTHON:-$(python_environment dev/bench.d/training_set/requirements.txt)}
    [[ -n ${LARDER_BENCH_KEEP:-} ]] || trap remove_everything EXIT
    export FEAST_USAGE=False
    if [[ -n ${LARDER_BENCH_KEEP:-} ]] && fingerprint | cmp -s - "$data/loaded"; then
        enter_stack
        larder migrate >&2
    else
        load_everything
    fi
    IFS=, read -ra wanted <<<"${LARDER_BENCH_ONLY:-}"
    "$python" dev/bench.d/training_set/bench.py "$binary" "$checkout/dev/stack" \
        "$(readlink -f "$local_directory/stack/$LARDER_STACK_NAME")/postgres" "$data" "$table_rows" "$rounds" "${wanted[@]}" 8>&-
}

# What the benchmarks of serving, materialization and pushes share: their programs, and data in Larder.
# shellcheck shell=bash
# shellcheck disable=SC2154
# Needs bench.sh, packages.sh and python.sh.

serving=dev/bench.d/serving

# Sets `python`, and `load` and `forward`, the programs that serving/load.c and serving/forward.c are.
prepare_programs() {
    ensure_packages load
    # The environment of dev/bench training-set has what is needed here, too: Feast, its drivers, Arrow.
    python=${LARDER_BENCH_PYTHON:-$(python_environment dev/bench.d/training_set/requirements.txt)}
    load="$bench_directory/load"
    forward="$bench_directory/forward"
    cc -O2 -std=gnu11 -Wall -Wextra -Werror -o "$load" "$serving/load.c"
    cc -O2 -std=gnu11 -Wall -Wextra -Werror -pthread -o "$forward" "$serving/forward.c"
    export PYTHONPATH="$checkout/$serving" FEAST_USAGE=False
}

# load_larder DIRECTORY [OPTION...]: definitions and rows as a user would bring them; options are those of materialize.
load_larder() {
    local directory=$1 file
    shift
    larder migrate >&2
    larder apply "$directory/definitions" --yes >&2
    for file in "$directory"/*.arrow; do larder ingest "$(basename "$file" .arrow)" "$file" >&2; done
    larder materialize "$@" >&2
    # Within minutes autovacuum would do this, in the middle of what is timed.
    as_superuser larder <<<"VACUUM (ANALYZE)"
    checkpoint
}

make_feast_database() { as_superuser <<<"CREATE DATABASE feast OWNER larder"; }

# What decides over the data: FILE... beside what is shared.
fingerprint_of() { cat "$serving"/{views,data,feast_peer}.py "$@" | sha256sum; }

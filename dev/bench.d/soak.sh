# soak: ten minutes of mixed load while Redis restarts, is emptied, PostgreSQL restarts and definitions are applied
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# One server answers readers and pushes; files are loaded and views materialized by commands and by jobs. Each answer has
# to be one that was right at that moment: late rows, corrections, tombstones and ages included, and never older than what
# anybody has read before. Nothing may fail but from a fault until 5 s after the server that it concerns is back. At the end
# every entity is read, and the memory of the last fifth of the time is compared with that of the second.
#
# LARDER_BENCH_SECONDS (600) is how long it takes; there is one of each fault in two minutes. LARDER_BENCH_SEED is what the
# rows are made from, a random number without it; it is printed. What happens when is up to the machine all the same.

benchmark() {
    ensure_packages python
    PYTHONPATH="$checkout/dev/bench.d/serving" PYTHONDONTWRITEBYTECODE=1 python3 dev/bench.d/soak/soak.py \
        "$binary" "$bench_directory/soak" "${LARDER_BENCH_SECONDS:-600}" "${LARDER_BENCH_SEED:-$RANDOM}" 8>&-
}

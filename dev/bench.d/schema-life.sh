# schema-life: one feature view through twelve changes while writers and readers of three versions go on
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# Two servers answer, and everything goes through the command line and HTTP. Each answer is judged by the row number in
# it: no wrong value, no response of two generations, no older row after a newer one, no failed read. Counts are printed.
#
# LARDER_BENCH_STEP_SECONDS (2) is how long everybody goes on after each change.

benchmark() {
    ensure_packages python
    rm -rf "$bench_directory/life"
    python3 dev/bench.d/schema_life/life.py "$binary" "$bench_directory/life" "${LARDER_BENCH_STEP_SECONDS:-2}"
}

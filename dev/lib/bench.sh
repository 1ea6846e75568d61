# What benchmarks are made of: an empty stack, databases in it, times and their medians.
# shellcheck shell=bash
# shellcheck disable=SC2154
# Needs common.sh and servers.sh, and from dev/bench: binary, LARDER_STACK_NAME.

bench_directory="$local_directory/bench"

# report NAME VALUE UNIT: a result, for programs.
report() { printf '%s %s %s\n' "$1" "$2" "$3"; }

larder() { "$binary" "$@"; }

# Starts the stack without any data of earlier runs. It is a persistent one: a stack for tests would not wait for the
# disk, which whoever uses Larder does.
start_empty_stack() {
    mkdir -p "$bench_directory"
    "$checkout/dev/stack" remove 8>&-
    "$checkout/dev/stack" start 8>&-
    local stack_environment
    stack_environment=$("$checkout/dev/stack" env 8>&-)
    eval "$stack_environment"
    source "$local_directory/stack/$LARDER_STACK_NAME/state"
}

# use_new_database NAME: makes an empty database and points Larder's settings at it. drop_database NAME: removes it.
use_new_database() {
    as_superuser <<<"CREATE DATABASE $1 OWNER larder"
    LARDER_POSTGRES_URL=${LARDER_POSTGRES_URL%/*}/$1
    LARDER_POSTGRES_SOURCE_URL=${LARDER_POSTGRES_SOURCE_URL%/*}/$1
}

drop_database() { as_superuser <<<"DROP DATABASE $1 WITH (FORCE)"; }

# Runs SQL from standard input as Larder's owner, and prints bare values.
as_owner() {
    psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --dbname="$LARDER_POSTGRES_URL" "$@"
}

# What earlier work left to write does not burden what is timed next.
checkpoint() { as_superuser <<<CHECKPOINT; }

# milliseconds_of COMMAND...: runs it and sets `elapsed`. What it prints goes to standard error.
milliseconds_of() {
    local started
    started=$(now_milliseconds)
    "$@" >&2
    elapsed=$(($(now_milliseconds) - started))
}

# median NUMBER...: the middle one; of an even count the lower of the two.
median() {
    local sorted
    mapfile -t sorted < <(printf '%s\n' "$@" | LC_ALL=C sort -g)
    printf '%s' "${sorted[(${#sorted[@]} - 1) / 2]}"
}

# calculate EXPRESSION [FORMAT]: arithmetic with fractions.
calculate() { LC_ALL=C awk "BEGIN { printf \"${2:-%.0f}\", ($1) }"; }

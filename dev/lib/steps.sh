# Runs the steps of a longer job, says what each does, and tells at the end how long each took.
# shellcheck shell=bash
# Needs common.sh.

step_titles=()
step_milliseconds=()
current_step=''

# step TITLE COMMAND...
#
# The command is not part of a condition, so `set -e` works in it: the script ends where the command fails, and its exit
# trap calls name_failed_step.
step() {
    local title=$1 started
    shift
    printf '\n== %s\n' "$title"
    started=$(now_milliseconds)
    current_step=$title
    "$@"
    current_step=''
    step_titles+=("$title")
    step_milliseconds+=($(($(now_milliseconds) - started)))
}

name_failed_step() { [[ -z $current_step ]] || say "error: this step failed: $current_step"; }

print_seconds() { printf '%6d.%02d s  %s\n' $(($2 / 1000)) $(($2 % 1000 / 10)) "$1"; }

# print_step_times [TITLE]: with a title, the sum over the other steps is shown, too.
print_step_times() {
    local index total=0 others=0
    printf '\n== time of each step\n'
    for index in "${!step_titles[@]}"; do
        print_seconds "${step_titles[index]}" "${step_milliseconds[index]}"
        total=$((total + step_milliseconds[index]))
        [[ ${step_titles[index]} == "${1:-}" ]] || others=$((others + step_milliseconds[index]))
    done
    print_seconds total "$total"
    [[ -z ${1:-} ]] || print_seconds "total without: $1" "$others"
}

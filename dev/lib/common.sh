# Shared by the scripts in dev/. Source it; it defines `checkout` and a few words for talking to people.
# shellcheck shell=bash

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
local_directory="$checkout/.larder"

# Everything said to people goes to standard error, so that standard output stays machine-readable.
say() { printf '%s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

is_root() { [[ $(id -u) -eq 0 ]]; }

# The folder for everything local to this checkout. Git ignores it.
make_local_directory() {
    mkdir -p "$local_directory" 2>/dev/null || die "cannot create $local_directory"
    [[ -w $local_directory ]] || die "$local_directory belongs to another user; run as that user or remove it"
}

# Milliseconds since 1970, without starting a process.
now_milliseconds() {
    local microseconds=${EPOCHREALTIME/[.,]/}
    printf '%s' "${microseconds%???}"
}

# Below 32768, where Linux takes the ports of outgoing connections from. Whether a port is really free shows when the
# server binds it; the callers try again with another.
candidate_port() {
    local port
    while :; do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    printf '%s' "$port"
}

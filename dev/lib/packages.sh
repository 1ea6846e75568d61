# Finds what is missing on this machine and installs it with apt-get where that is allowed.
# shellcheck shell=bash
# Needs common.sh.

# The directory of PostgreSQL's server programs, version 15 or later; empty when there is none.
# Debian keeps them out of PATH, one directory a version.
postgres_programs() {
    local directory
    for directory in /usr/lib/postgresql/15/bin $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV) \
        "$(pg_config --bindir 2>/dev/null || true)"; do
        [[ -x $directory/initdb && -x $directory/postgres ]] || continue
        local version
        version=$("$directory/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
        if [[ $version -ge 15 ]]; then printf '%s' "$directory"; return; fi
    done
}

header_exists() {
    local directory
    for directory in /usr/include /usr/local/include "/usr/include/$(uname -m)-linux-gnu"; do
        [[ -e $directory/$1 ]] && return 0
    done
    return 1
}

# missing_packages servers|build|http|python|load ...: the Debian packages to install, one a line. What counts is whether
# the thing is there, not whether a package of Debian's put it there.
missing_packages() {
    local kind
    for kind in "$@"; do
        case $kind in
        servers)
            [[ -n $(postgres_programs) ]] || echo postgresql
            command -v psql >/dev/null || echo postgresql-client
            command -v redis-server >/dev/null || echo redis-server
            command -v redis-cli >/dev/null || echo redis-tools
            [[ -e /usr/share/zoneinfo/America/New_York ]] || echo tzdata
            ;;
        build)
            command -v pkg-config >/dev/null || echo pkg-config
            header_exists postgresql/libpq-fe.h || header_exists libpq-fe.h || echo libpq-dev
            header_exists openssl/ssl.h || echo libssl-dev
            header_exists hiredis/hiredis.h || echo libhiredis-dev
            ;;
        http) command -v curl >/dev/null || echo curl ;;
        python)
            # Debian's python3 comes without the part of venv that installs pip.
            python3 -c 'import venv, ensurepip' 2>/dev/null || echo python3-venv
            ;;
        load)
            command -v wrk >/dev/null || echo wrk
            command -v redis-benchmark >/dev/null || echo redis-tools
            command -v cc >/dev/null || echo gcc
            header_exists stdio.h || echo libc6-dev
            ;;
        *) die "unknown kind of packages: $kind" ;;
        esac
    done
}

# Runs apt-get install as root. The packages of PostgreSQL and Redis start a system service when they are installed. We
# want the programs only, so for the time of the installation a policy-rc.d, Debian's own mechanism for this, says no to
# starting services. One that is already there (containers ship it) is the administrator's and stays as it is.
install_as_root() {
    local policy=/usr/sbin/policy-rc.d made_policy='' status=0
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        made_policy=yes
    fi
    export DEBIAN_FRONTEND=noninteractive
    local apt=(apt-get -q -y -o DPkg::Lock::Timeout=300)
    { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "$@"; } >&2 || status=$?
    [[ -z $made_policy ]] || rm -f "$policy"
    return "$status"
}

# ensure_packages KIND...: returns when everything is there, and otherwise installs it or says how to.
ensure_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$@")
    [[ ${#missing[@]} -gt 0 ]] || return 0
    if ! command -v apt-get >/dev/null; then
        die "missing, under their names in Debian: ${missing[*]}"
    elif is_root; then
        say "installing ${missing[*]}"
        install_as_root "${missing[@]}" || die "apt-get could not install: ${missing[*]}"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        say "installing ${missing[*]}"
        sudo -n bash -c "$(declare -f install_as_root); install_as_root \"\$@\"" install "${missing[@]}" ||
            die "apt-get could not install: ${missing[*]}"
    else
        say "sudo apt-get install -y --no-install-recommends ${missing[*]}"
        exit 1
    fi
    mapfile -t missing < <(missing_packages "$@")
    [[ ${#missing[@]} -eq 0 ]] || die "still missing after the installation: ${missing[*]}"
}

ensure_swift() {
    command -v swift >/dev/null || die "no swift in PATH; install Swift 6.3 or later from https://swift.org/install"
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    [[ $(printf '%s\n6.3\n' "$version" | sort -V | head -n 1) == 6.3 ]] ||
        die "Swift 6.3 or later is needed, found ${version:-an unknown version}"
}

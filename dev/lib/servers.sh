# The two servers of a stack: how each is started, recognised and stopped.
# shellcheck shell=bash
# shellcheck disable=SC2154
# Needs common.sh and packages.sh, and from dev/stack: home, server_user, ephemeral, and the variables of the state file.

# PostgreSQL refuses to run as root, so root's servers run as another user. They start in a directory that user can enter.
as_server_user() {
    if is_root; then
        (cd / && exec runuser -u "$server_user" -- "$@")
    else
        (cd / && exec "$@")
    fi
}

make_server_directory() {
    mkdir -p "$1"
    chmod 700 "$1"
    if is_root; then chown "$server_user" "$1"; fi
}

# A process id in a file says little after a crash or a reboot: the number may be someone else's by now. Both servers
# work in their data directory, and that is what identifies them.
runs_in() {
    [[ -n $1 && -e /proc/$1 && $(readlink "/proc/$1/cwd" 2>/dev/null) == "$2" ]]
}

processes_in() {
    local link
    for link in /proc/[0-9]*/cwd; do
        if [[ $(readlink "$link" 2>/dev/null) == "$1" ]]; then link=${link#/proc/}; echo "${link%/cwd}"; fi
    done
}

# After kill -9 of a postmaster its children need a moment to notice; a second server must not start beside them.
wait_until_none_runs_in() {
    local attempt
    for attempt in {1..100}; do
        [[ -n $(processes_in "$1") ]] || return 0
        sleep 0.1
    done
    die "processes still run in $1: $(processes_in "$1" | tr '\n' ' ')"
}

stop_process() {
    local process=$1 signal=$2 directory=$3 attempt
    kill "-$signal" "$process" 2>/dev/null || true
    for attempt in {1..300}; do
        runs_in "$process" "$directory" || return 0
        sleep 0.1
    done
    die "process $process in $directory does not stop"
}

random_password() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# --- PostgreSQL

postgres_process() {
    local process=''
    [[ ! -r $home/postgres/postmaster.pid ]] || read -r process <"$home/postgres/postmaster.pid" || true
    if runs_in "$process" "$home/postgres"; then printf '%s' "$process"; fi
}

# Text is sorted by a language's rules in this cluster, as in most, so that a comparison that forgot COLLATE "C" fails
# here and not in production.
initialise_postgres() {
    local password_file="$home/superuser-password"
    make_server_directory "$home/postgres"
    (umask 077 && printf '%s\n' "$SUPERUSER_PASSWORD" >"$password_file")
    if is_root; then chown "$server_user" "$password_file"; fi
    local log="$home/initdb.log"
    as_server_user "$(postgres_programs)/initdb" --pgdata="$home/postgres" --username=postgres \
        --pwfile="$password_file" --auth=scram-sha-256 --encoding=UTF8 --locale=C \
        --locale-provider=icu --icu-locale=en-US --no-sync --no-instructions >"$log" 2>&1 ||
        { cat "$log" >&2; die "initdb failed"; }
    rm -f "$password_file"
    printf 'host all all 127.0.0.1/32 scram-sha-256\n' >"$home/postgres/pg_hba.conf"
    postgres_settings >>"$home/postgres/postgresql.conf"
}

postgres_settings() {
    cat <<'SETTINGS'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 256MB
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
SETTINGS
    [[ -n $ephemeral ]] || return 0
    cat <<'SETTINGS'
fsync = off
full_page_writes = off
synchronous_commit = off
SETTINGS
}

as_superuser() {
    PGPASSWORD=$SUPERUSER_PASSWORD PGCONNECT_TIMEOUT=10 psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 \
        --host=127.0.0.1 --port="$POSTGRES_PORT" --username=postgres --dbname="${1:-postgres}"
}

# The owner's login is no superuser: whatever needs one does not work here either. `larder migrate` makes the third
# role, larder_writer.
create_roles() {
    as_superuser <<SQL
CREATE ROLE larder LOGIN CREATEROLE CREATEDB PASSWORD '$OWNER_PASSWORD';
CREATE ROLE larder_source LOGIN PASSWORD '$SOURCE_PASSWORD';
CREATE DATABASE larder OWNER larder;
SQL
}

start_postgres() {
    local data="$home/postgres" log="$home/postgres.log" attempt
    [[ -z $(postgres_process) ]] || return 0
    wait_until_none_runs_in "$data"
    rm -f "$data/postmaster.pid"
    : >>"$log"
    if is_root; then chown "$server_user" "$log"; fi
    for attempt in {1..5}; do
        # The lock's descriptor (9) must not live on in the server.
        if as_server_user "$(postgres_programs)/pg_ctl" start --silent --wait --timeout=120 --pgdata="$data" \
            --log="$log" --options="-p $POSTGRES_PORT" >/dev/null 2>&1 9>&-; then
            return 0
        fi
        tail -n 5 "$log" | grep -q 'could not create any TCP/IP sockets' || break
        POSTGRES_PORT=$(candidate_port)
    done
    tail -n 20 "$log" >&2
    die "PostgreSQL did not start; its log is $log"
}

stop_postgres() {
    local process
    process=$(postgres_process)
    [[ -z $process ]] || stop_process "$process" INT "$home/postgres"
}

# --- Redis

redis_process() {
    local process=''
    [[ ! -r $home/redis/redis.pid ]] || read -r process <"$home/redis/redis.pid" || true
    if runs_in "$process" "$home/redis"; then printf '%s' "$process"; fi
}

redis_says() { redis-cli -h 127.0.0.1 -p "$REDIS_PORT" "$@" 2>/dev/null; }

start_redis() {
    local data="$home/redis" append_only=yes attempt
    [[ -z $(redis_process) ]] || return 0
    [[ -z $ephemeral ]] || append_only=no
    make_server_directory "$data"
    rm -f "$data/redis.pid"
    for attempt in {1..5}; do
        as_server_user redis-server --bind 127.0.0.1 --port "$REDIS_PORT" --daemonize yes --dir "$data" \
            --pidfile "$data/redis.pid" --logfile "$data/redis.log" --maxmemory-policy noeviction \
            --appendonly "$append_only" --save '' >/dev/null 9>&-
        ! wait_for_redis || return 0
        tail -n 5 "$data/redis.log" | grep -q 'Address already in use' || break
        REDIS_PORT=$(candidate_port)
    done
    tail -n 20 "$data/redis.log" >&2
    die "Redis did not start; its log is $data/redis.log"
}

# True once the Redis behind our port is our own and has loaded its data.
wait_for_redis() {
    local attempt process
    for attempt in {1..1200}; do
        process=$(redis_process)
        if [[ -n $process && $(redis_says PING) == PONG &&
            $(redis_says INFO server) == *$'\n'"process_id:$process"[[:space:]]* ]]; then
            return 0
        fi
        # It has given up: two seconds are far more than it needs to write its pid file.
        [[ -n $process || $attempt -le 40 ]] || return 1
        sleep 0.05
    done
    return 1
}

stop_redis() {
    local process
    process=$(redis_process)
    [[ -z $process ]] || stop_process "$process" TERM "$home/redis"
}

# shellcheck shell=bash
# A throw-away PostgreSQL: `prepare_postgres FOLDER`, then `start_postgres FOLDER PORT`.

# postgres_programs: the folder with PostgreSQL's server programs, the newest of those installed.
# Debian keeps them out of PATH.
postgres_programs() {
    local server
    server=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -V | tail -n 1)
    [[ -x $server ]] || server=$(command -v postgres) || return 1
    dirname "$(readlink -f "$server")"
}

# postgres_major: the major version of that server.
postgres_major() {
    local programs
    programs=$(postgres_programs) || return 1
    "$programs/postgres" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/'
}

# as_postgres FOLDER OPTION COMMAND…: becomes the command, in the folder, and as another user when
# that is root, whom PostgreSQL refuses. OPTION is one more option for setpriv.
as_postgres() {
    local folder=$1 option=$2 user=()
    shift 2
    if ((EUID == 0)); then
        user=(--reuid "$(postgres_user)" --regid "$(id -g "$(postgres_user)")" --clear-groups)
    fi
    exec env -C "$folder" setpriv "${user[@]}" "$option" "$@"
}

# postgres_user: who runs the server when we are root.
postgres_user() {
    if id -u postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi
}

# prepare_postgres FOLDER [OPTION…]: makes an empty cluster in FOLDER/data, with these options of initdb.
prepare_postgres() {
    local folder=$1 programs
    shift
    programs=$(postgres_programs) || fail "no PostgreSQL server found: run ci/install"
    mkdir -p "$folder"
    ((EUID != 0)) || chown "$(postgres_user)" "$folder"
    (as_postgres "$folder" --no-new-privs "$programs/initdb" -D "$folder/data" -U postgres \
        --auth=trust --encoding=UTF8 --locale=C --no-sync "$@") >"$folder/postgres.log" 2>&1 ||
        fail_with_log "$folder/postgres.log" "cannot create a PostgreSQL cluster in $folder"
}

# start_postgres FOLDER PORT: starts the server in the background; $! is its process.
start_postgres() {
    spawn become_postgres "$@"
}

# become_postgres FOLDER PORT [OPTION…]: becomes the server.
# Should its parent be killed, the kernel ends the server (SIGQUIT: at once, with its children). What
# was committed survives a killed server all the same: the kernel has it.
become_postgres() {
    local folder=$1 port=$2 programs
    shift 2
    programs=$(postgres_programs)
    as_postgres "$folder" --pdeathsig=QUIT "$programs/postgres" -D "$folder/data" -p "$port" \
        -c listen_addresses=127.0.0.1,::1 -c unix_socket_directories= -c max_connections=400 \
        -c dynamic_shared_memory_type=mmap -c fsync=off -c full_page_writes=off "$@" >>"$folder/postgres.log" 2>&1
}

# postgres_answers PORT: whether the server accepts connections.
postgres_answers() {
    "$(postgres_programs)/pg_isready" -q -h 127.0.0.1 -p "$1"
}

# stop_postgres PID: ends the server at once; its data is thrown away anyway.
stop_postgres() {
    kill -QUIT "$1" 2>/dev/null || return 0
    kill -CONT "$1" 2>/dev/null || true
    await 10 ended "$1" || kill -KILL "$1" 2>/dev/null || true
}

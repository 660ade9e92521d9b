# shellcheck shell=bash
# Background processes with a deadline: to start them, to wait for them, to end them.

# spawn COMMAND…: runs it in the background; $! is its process and its process group.
# A group of its own keeps a terminal's Ctrl-C away from it, and lets all of it be ended at once.
spawn() {
    set -m
    "$@" </dev/null &
    set +m
}

# alive PID: whether the process is there.
alive() {
    kill -0 "$1" 2>/dev/null
}

# await SECONDS CHECK…: asks until the check succeeds; fails at the deadline.
await() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

# await_service NAME PID LOG CHECK…: waits until a service answers, or ends the script with its log.
await_service() {
    local name=$1 pid=$2 log=$3 seconds=60
    shift 3
    await "$seconds" ended_or "$pid" "$@" || fail_with_log "$log" "$name did not answer within $seconds s"
    alive "$pid" || fail_with_log "$log" "$name ended while it was starting"
}

# ended_or PID CHECK…: whether there is nothing left to wait for.
ended_or() {
    local pid=$1
    shift
    ! alive "$pid" || "$@"
}

# ended PID: whether the process is gone.
ended() {
    ! alive "$1"
}

# kill_group PID: SIGKILL for a process group, without bash's report on it.
kill_group() {
    { kill -KILL -- "-$1" && wait "$1"; } 2>/dev/null || true
}

# end_group SECONDS PID: SIGTERM for a process group, and SIGKILL for what of it is left after that.
end_group() {
    kill -TERM -- "-$2" 2>/dev/null || return 0
    kill -CONT -- "-$2" 2>/dev/null || true
    await "$1" ended "-$2" || true
    kill_group "$2"
}

# free_ports COUNT: the first of COUNT (at most 10) neighbouring ports nobody listens on.
# They lie below the range from which Linux takes the ports of outgoing connections.
free_ports() {
    local first port
    while true; do
        first=$((20000 + SRANDOM % 1000 * 10))
        for ((port = first; port < first + $1; port++)); do
            ! listening "$port" || continue 2
        done
        echo "$first"
        return
    done
}

# listening PORT: whether somebody accepts connections on this port of 127.0.0.1.
listening() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

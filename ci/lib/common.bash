# shellcheck shell=bash
# How the scripts of ci/ say things.

# say TEXT…: a message for people; standard output belongs to the commands.
say() {
    printf '%s: %s\n' "ci/$(basename "$0")" "$*" >&2
}

# fail TEXT…: says what is wrong and what would be right, and ends the script.
fail() {
    say "$@"
    exit 1
}

# fail_with_log LOG TEXT…: the same, after the end of a log file.
fail_with_log() {
    local log=$1
    shift
    say "the last lines of $(basename "$log"):"
    tail -n 30 "$log" >&2 || true
    fail "$@"
}

# have COMMAND: whether the command is there.
have() {
    command -v "$1" >/dev/null 2>&1
}

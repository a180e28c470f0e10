#!/bin/sh
# Keeps one private PostgreSQL server for one owner, and ends it with that owner.
#
#   postgres-guard.sh DIRECTORY COMMAND...
#
# COMMAND starts the server. Commands come in by line: start, stop, kill; each is answered by one line. The end of the input
# means that the owner is gone: the server is stopped, DIRECTORY is removed.
set -u
directory=$1
shift
server=

end_server() {
    [ -n "$server" ] || return 0
    kill -"$1" "$server" 2> /dev/null
    wait "$server" 2> /dev/null
    server=
}

# QUIT stops at once, and takes the server's shared memory along; the server's own children it waits for itself.
finish() {
    trap '' TERM INT HUP
    end_server QUIT
    rm -rf -- "$directory"
    exit 0
}

trap finish TERM INT HUP

while IFS= read -r command; do
    case $command in
    start)
        end_server QUIT
        setsid "$@" >> "$directory/out.log" 2>&1 < /dev/null &
        server=$!
        echo "$server"
        ;;
    stop)
        end_server INT
        echo gone
        ;;
    kill)
        end_server KILL
        echo gone
        ;;
    *)
        echo "unknown command: $command"
        ;;
    esac
done
finish

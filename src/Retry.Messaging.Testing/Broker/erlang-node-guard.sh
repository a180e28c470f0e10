#!/bin/sh
# Keeps one private RabbitMQ node for one owner, and ends it with that owner.
#
#   erlang-node-guard.sh DIRECTORY EPMD_PORT SERVER PREFIX...
#
# PREFIX is the command that enters the node's environment. Commands come in by line: start, term, kill; each is answered
# by one line. The end of the input means that the owner is gone: the node and its epmd are killed, DIRECTORY is removed.
#
# The node's process id is safe to kill at any time: it is a child that stays a zombie until we wait for it, so the
# number cannot belong to anybody else meanwhile. Hence only shell builtins between the start of a child and its 'wait'.
set -u
directory=$1 epmd_port=$2 server=$3
shift 3
vm=

end_vm() {
    [ -n "$vm" ] || return 0
    kill -9 "$vm" 2> /dev/null
    kill -9 -- "-$vm" 2> /dev/null # its port programs: the node leads a session of its own
    wait "$vm" 2> /dev/null
    vm=
}

finish() {
    trap '' TERM INT HUP
    end_vm
    kill -9 "$epmd" 2> /dev/null
    wait "$epmd" 2> /dev/null
    rm -rf -- "$directory"
    exit 0
}

# Without an epmd of our own the node would start a shared one, which listens on all addresses and outlives it.
setsid "$@" epmd -address 127.0.0.1 -port "$epmd_port" > "$directory/epmd.log" 2>&1 < /dev/null &
epmd=$!
trap finish TERM INT HUP

while IFS= read -r command; do
    case $command in
    start)
        end_vm
        setsid "$@" "$server" >> "$directory/out.log" 2>&1 < /dev/null &
        vm=$!
        echo "$vm"
        ;;
    term)
        [ -z "$vm" ] || kill -TERM "$vm" 2> /dev/null
        echo asked
        ;;
    kill)
        end_vm
        echo gone
        ;;
    *)
        echo "unknown command: $command"
        ;;
    esac
done
finish

#!/bin/sh
# Removes a container and its volumes when the owner is gone, which closes our input.
#
#   container-guard.sh DIRECTORY DOCKER CONTAINER
set -u
directory=$1 docker=$2 container=$3

finish() {
    trap '' TERM INT HUP
    "$docker" rm --force --volumes "$container" > /dev/null 2>&1
    rm -rf -- "$directory"
    exit 0
}

trap finish TERM INT HUP
while IFS= read -r _; do :; done
finish

#!/usr/bin/env bash
# Makes sure that tests and the demo find a RabbitMQ, and installs one where it may. Nothing is started: tests run private
# nodes of their own, and a broker that the package starts for the whole machine would listen on all its addresses.
# A second run finds what the first one installed, and takes no time.
set -euo pipefail

say() { echo "ensure-rabbitmq: $*" >&2; }

server=${RETRY_TEST_RABBITMQ_ROOT:-}/usr/lib/rabbitmq/bin/rabbitmq-server
if [ -n "${RETRY_TEST_BROKER:-}" ]; then exit 0; fi
if [ -x "$server" ] || [ -L "$server" ]; then exit 0; fi

refuse_services=/usr/sbin/policy-rc.d

install_package() {
    say "installing rabbitmq-server by apt-get; no service is started"
    if [ ! -e "$refuse_services" ]; then
        # Debian's maintainer scripts ask this file before they start a service; 101 means no.
        trap 'rm -f "$refuse_services"' EXIT
        printf '#!/bin/sh\nexit 101\n' > "$refuse_services"
        chmod 755 "$refuse_services"
    fi

    export DEBIAN_FRONTEND=noninteractive
    # epmd's units come with Erlang. What was installed before us keeps its state.
    local units=() unit
    for unit in rabbitmq-server.service epmd.service epmd.socket epmd@.socket; do
        [ -e "/lib/systemd/system/$unit" ] || units+=("$unit")
    done

    # Fresh images have no package lists, old ones have lists of versions that are gone.
    apt-get update --quiet --quiet
    apt-get install --yes --quiet --quiet --no-install-recommends rabbitmq-server > /dev/null

    # policy-rc.d refuses only the start: enabled, they would start with the next boot.
    if command -v systemctl > /dev/null; then
        for unit in ${units[@]+"${units[@]}"}; do
            if [ -e "/lib/systemd/system/$unit" ]; then systemctl --quiet disable "$unit" > /dev/null 2>&1 || true; fi
        done
    fi

    if [ ! -x "$server" ]; then
        say "the package rabbitmq-server was installed, but there is no $server; install RabbitMQ another way"
        exit 1
    fi
}

if [ -z "${RETRY_TEST_RABBITMQ_ROOT:-}" ] && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    install_package
    exit 0
fi

if command -v docker > /dev/null && timeout 10 docker info > /dev/null 2>&1; then exit 0; fi

say "found no RabbitMQ for tests and demo, and may not install one here. One of three ways is wanted:"
say "  1. set RETRY_TEST_BROKER to a broker's address (amqp://user:password@host:5672), with its management API"
say "  2. install RabbitMQ: $server is missing (Debian, as root: this script does it by apt-get)"
say "  3. install Docker or Podman and start it: enough for the demo and for tests that need no node of their own"
exit 1

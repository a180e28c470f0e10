#!/usr/bin/env bash
# Makes sure that tests find a PostgreSQL, and installs one where it may. Nothing is started, and no cluster is made: tests run
# private servers of their own. A second run finds what the first one installed, and takes no time.
# Without PostgreSQL its tests are skipped and counted as such: no reason to fail.
set -euo pipefail

say() { echo "ensure-postgresql: $*" >&2; }

found() { compgen -G '/usr/lib/postgresql/*/bin/postgres' > /dev/null; }

if found; then exit 0; fi

if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    say "found no PostgreSQL, and may not install one here: the tests of the store in PostgreSQL are skipped"
    say "install it: apt-get install postgresql (Debian, as root: this script does it)"
    exit 0
fi

refuse_services=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.conf

say "installing postgresql by apt-get; no cluster is made, no service is started"
made=()
trap 'rm -f ${made[@]+"${made[@]}"}' EXIT
if [ ! -e "$refuse_services" ]; then
    # Debian's maintainer scripts ask this file before they start a service; 101 means no.
    made+=("$refuse_services")
    printf '#!/bin/sh\nexit 101\n' > "$refuse_services"
    chmod 755 "$refuse_services"
fi

export DEBIAN_FRONTEND=noninteractive
# Fresh images have no package lists, old ones have lists of versions that are gone.
apt-get update --quiet --quiet

# The server's package makes a cluster that starts with the machine, unless this file of the common package says no.
apt-get install --yes --quiet --quiet --no-install-recommends postgresql-common > /dev/null
setting=$(grep -E '^ *create_main_cluster' "$clusters" 2> /dev/null || true)
[ -n "$setting" ] || echo 'create_main_cluster = false' >> "$clusters"
apt-get install --yes --quiet --quiet --no-install-recommends postgresql > /dev/null
# What the machine makes later is its owner's affair.
[ -n "$setting" ] || sed -i '/^create_main_cluster = false$/d' "$clusters"

if command -v systemctl > /dev/null; then systemctl --quiet disable postgresql.service > /dev/null 2>&1 || true; fi

if ! found; then
    say "the package postgresql was installed, but there is no server in /usr/lib/postgresql/*/bin; its tests are skipped"
fi

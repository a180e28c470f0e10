#!/usr/bin/env bash
# Installs another generation of RabbitMQ from another Debian release into a folder, beside whatever this machine has.
#
#   eng/install-generation.sh 4.0        prints the folder; RETRY_TEST_RABBITMQ_ROOT=folder makes the tests use it
#
# The folder is RETRY_TEST_GENERATIONS/RELEASE, by default /var/tmp/retry-rabbitmq/RELEASE. It is a small root file system,
# made by debootstrap (about 0.4 GB, two to five minutes); nothing outside of it changes but the package debootstrap. Root only.
# A second run finds what the first one installed.
set -euo pipefail

say() { echo "install-generation: $*" >&2; }

# One release for each generation that the tests know. Testing moves on: what it brings then is said, and counts as itself.
case "${1:-}" in
    3.10) release=bookworm ;;
    4.0) release=trixie ;;
    4.3) release=forky ;;
    *) say "found '${1:-}', wanted a generation: 3.10, 4.0 or 4.3"; exit 2 ;;
esac

root=${RETRY_TEST_GENERATIONS:-/var/tmp/retry-rabbitmq}/$release
server=$root/usr/lib/rabbitmq/bin/rabbitmq-server
if [ -x "$server" ] || [ -L "$server" ]; then echo "$root"; exit 0; fi
if [ "$(id -u)" != 0 ]; then say "needs root: a node in a folder runs by chroot"; exit 1; fi

export DEBIAN_FRONTEND=noninteractive
if ! command -v debootstrap > /dev/null; then
    command -v apt-get > /dev/null || { say "found no debootstrap and no apt-get to install it; use a Debian or Ubuntu, or make $root another way"; exit 1; }
    say "installing debootstrap by apt-get"
    apt-get update --quiet --quiet >&2
    apt-get install --yes --quiet --quiet --no-install-recommends debootstrap > /dev/null
fi

# The mirror that this machine's own apt uses, so that a proxy or a mirror of the house keeps working.
mirror=${RETRY_TEST_MIRROR:-$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2> /dev/null | grep -E '^(URIs:|deb )' | grep -oE 'https?://[^] ]+/debian/?( |$)' | head -n 1 | tr -d ' ' || true)}
[ -n "$mirror" ] || { say "found no Debian mirror in apt's sources, wanted one to install from; name it in RETRY_TEST_MIRROR"; exit 1; }

say "installing Debian $release with RabbitMQ $1 into $root, from $mirror"
mkdir -p "$root"
# A run that was cut off leaves half a system: begin anew.
if [ -n "$(ls -A "$root")" ] && { [ -d "$root/debootstrap" ] || [ ! -e "$root/etc/debian_version" ]; }; then
    rm -rf --one-file-system "$root"
    mkdir -p "$root"
fi

# sid's script serves every release, also one that this debootstrap does not know yet
[ -e "$root/etc/debian_version" ] || debootstrap --variant=minbase "$release" "$root" "$mirror" /usr/share/debootstrap/scripts/sid >&2

# Debian's maintainer scripts ask this file before they start a service; 101 means no.
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
cp /etc/resolv.conf "$root/etc/resolv.conf" 2> /dev/null || true
for file in /etc/apt/apt.conf.d/*; do
    if grep -qi proxy "$file" 2> /dev/null; then cp "$file" "$root/etc/apt/apt.conf.d/"; fi
done
# Erlang resolves its own host name
printf '127.0.0.1 localhost %s\n' "$(hostname)" > "$root/etc/hosts"

# In a mount namespace of its own, so that nothing is left mounted however this ends.
inside() {
    unshare --mount /bin/sh -c 'root=$1; shift; mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && exec chroot "$root" "$@"' enter "$root" \
        /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy="$http_proxy"} "$@" >&2
}
# A mirror that is a day behind is good enough for tests.
inside apt-get -o Acquire::Check-Valid-Until=false update --quiet --quiet
inside apt-get install --yes --quiet --quiet --no-install-recommends rabbitmq-server
rm -f "$root"/var/cache/apt/archives/*.deb

if [ ! -x "$server" ] && [ ! -L "$server" ]; then say "the package rabbitmq-server was installed, but there is no $server"; exit 1; fi
say "installed RabbitMQ $(chroot "$root" dpkg-query -W -f '${Version}' rabbitmq-server)"
echo "$root"

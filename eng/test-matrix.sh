#!/usr/bin/env bash
# Runs the broker tests on each generation of RabbitMQ, one after the other: two cores are shared by tests and brokers.
# What could not run is said last and fails the run: silence would read as success.
#
#   FILTER='Category!=Long'                which tests; the default leaves the long ones out
#   GENERATIONS='3.10 4.0 4.3'             which generations
#   RETRY_TEST_GENERATIONS=folder          where the generations are, or are installed to (eng/install-generation.sh)
set -uo pipefail
cd "$(dirname "$0")/.."

configuration=${CONFIGURATION:-Release}
results=${RESULTS:-artifacts/test-results}/matrix
filter=${FILTER:-Category!=Long}
project=tests/Retry.Messaging.BrokerTests
lines=() status=0

say() { echo "test-matrix: $*"; }
attribute() { sed -n "s/.* $2=\"\([^\"]*\)\".*/\1/p" <<< "$1"; }
version_in() { dpkg-query ${1:+--admindir="$1/var/lib/dpkg"} -W -f '${Version}' rabbitmq-server 2> /dev/null || true; }

if [ -n "${RETRY_TEST_BROKER:-}" ]; then
    say "RETRY_TEST_BROKER names one broker, of one generation; unset it to run all of them"
    exit 2
fi

for generation in ${GENERATIONS:-3.10 4.0 4.3}; do
    root=
    # the RabbitMQ of this machine where it is of that generation, else one in a folder
    if ! [[ "$(version_in '')" = "$generation".* && -e /usr/lib/rabbitmq/bin/rabbitmq-server ]]; then
        if ! root=$(eng/install-generation.sh "$generation"); then
            lines+=("$generation: NOT RUN, it could not be installed (see above)") status=1
            continue
        fi
    fi

    version=$(version_in "$root")
    if [[ "$version" != "$generation".* ]]; then
        # Debian's testing release moves on; its tests still run, under their true name
        lines+=("$generation: NOT RUN, ${root:-this machine} has $version now") status=1
    fi

    say "RabbitMQ $version${root:+ in $root}"
    mkdir -p "$results"
    rm -f "$results/$generation.trx"
    RETRY_TEST_RABBITMQ_ROOT=$root dotnet test "$project" --configuration "$configuration" --no-build --filter "$filter" \
        --logger "trx;LogFileName=$generation.trx" --results-directory "$results" || status=1

    counters=$(grep -m 1 '<Counters ' "$results/$generation.trx" 2> /dev/null || true)
    if [ -z "$counters" ]; then
        lines+=("$generation: NOT RUN to its end (RabbitMQ $version)") status=1
        continue
    fi

    total=$(attribute "$counters" total) executed=$(attribute "$counters" executed) passed=$(attribute "$counters" passed)
    line="$generation (RabbitMQ $version): $passed passed, $((executed - passed)) failed"
    [ "$total" = "$executed" ] || line="$line, $((total - executed)) skipped"
    [ "$executed" != 0 ] || { line="$line: NOT RUN, no test matched"; status=1; }
    lines+=("$line")
done

say "----"
for line in "${lines[@]}"; do say "$line"; done
exit "$status"

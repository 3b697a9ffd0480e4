#!/usr/bin/env bash
# What the tests need beside Python: mosquitto, PostgreSQL, and for the 32-bit build of MicroPython, node. Run again, it does nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { printf 'setup: %s\n' "$*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
has_postgres() { PYTHONPATH=tools .venv/bin/python -c 'from scanlatch_tools.postgres import find; find()' 2>/dev/null; }

missing=()
PATH="$PATH:/usr/sbin:/usr/local/sbin"
command -v mosquitto >/dev/null || missing+=(mosquitto)
has_postgres || missing+=(postgresql)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
if [ ${#missing[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        say "the tests need these, which this script can't install here: ${missing[*]}"
        say "(PostgreSQL 15 or newer may lie anywhere: SCANLATCH_POSTGRES names the folder of its programs)"
        exit 1
    fi
    say "installing with apt: ${missing[*]}"
    as_root apt-get update -qq
    install() { as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }
    # Debian's package makes a cluster and starts it; the tests make their own, so it is told not to.
    CLUSTERS=/etc/postgresql-common/createcluster.conf
    if [[ " ${missing[*]} " == *" postgresql "* ]] && [ ! -e "$CLUSTERS" ]; then
        install postgresql-common
        as_root cp -p "$CLUSTERS" "$CLUSTERS.before-scanlatch"
        as_root sed -i 's/^#\? *create_main_cluster.*/create_main_cluster = false/' "$CLUSTERS"
    fi
    install "${missing[@]}"
    [ ! -e "$CLUSTERS.before-scanlatch" ] || as_root mv "$CLUSTERS.before-scanlatch" "$CLUSTERS"
    for packaged in mosquitto postgresql; do
        if [[ " ${missing[*]} " == *" $packaged "* ]] && command -v service >/dev/null; then
            as_root service "$packaged" stop >/dev/null 2>&1 || true # the tests start their own
        fi
    done
    if ! has_postgres; then
        say "the PostgreSQL installed here is older than the ledger needs: 15 or newer"
        exit 1
    fi
fi

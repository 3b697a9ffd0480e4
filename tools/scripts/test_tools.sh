#!/usr/bin/env bash
# What the tests need beside Python: mosquitto, and for the 32-bit build of MicroPython, node. Run again, it does nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { printf 'setup: %s\n' "$*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

missing=()
PATH="$PATH:/usr/sbin:/usr/local/sbin"
command -v mosquitto >/dev/null || missing+=(mosquitto)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
if [ ${#missing[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        say "the tests need these, which this script can't install here: ${missing[*]}"
        exit 1
    fi
    say "installing with apt: ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    if command -v service >/dev/null; then
        as_root service mosquitto stop >/dev/null 2>&1 || true # the tests start their own
    fi
fi

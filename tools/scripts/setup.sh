#!/usr/bin/env bash
# Makes the virtual environment .venv with everything pinned in requirements.lock. Run again, it does nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { printf 'setup: %s\n' "$*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

PYTHON=${PYTHON:-python3}
STAMP=.venv/.installed
WANTED=$(cat pyproject.toml requirements.lock | "$PYTHON" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')

if [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$WANTED" ]; then
    exit 0
fi
if ! "$PYTHON" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))'; then
    say "Python 3.11 or newer is needed; $PYTHON is $("$PYTHON" --version). Name another with PYTHON=..."
    exit 1
fi
if [ ! -x .venv/bin/pip ]; then
    say "making .venv"
    if ! "$PYTHON" -m venv .venv >/dev/null 2>&1; then
        # Debian and Ubuntu ship venv apart from Python.
        if ! command -v apt-get >/dev/null; then
            say "'$PYTHON -m venv' does not work here: install Python's venv module"
            exit 1
        fi
        say "installing python3-venv with apt"
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
        rm -rf .venv
        "$PYTHON" -m venv .venv
    fi
fi
say "installing the packages of requirements.lock"
.venv/bin/pip install --quiet --disable-pip-version-check -r requirements.lock
.venv/bin/pip install --quiet --disable-pip-version-check --no-deps -e .
printf '%s' "$WANTED" >"$STAMP"

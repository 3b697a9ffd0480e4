#!/usr/bin/env bash
# Format, lint and types: the host strictly, the device against the ESP32 stubs.
set -euo pipefail
cd "$(dirname "$0")/../.."
STUBS=micropython-esp32-stubs==1.29.0.post1

.venv/bin/ruff format --check .
.venv/bin/ruff check .
if [ ! -f ".venv/typings/.$STUBS" ]; then
    rm -rf .venv/typings
    .venv/bin/pip install --quiet --disable-pip-version-check --target .venv/typings "$STUBS"
    touch ".venv/typings/.$STUBS"
fi
.venv/bin/pyright --project pyrightconfig.json
.venv/bin/pyright --project firmware/pyrightconfig.json

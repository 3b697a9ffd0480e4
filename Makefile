# One command a chore. Everything runs from .venv, which `setup` makes and every other target asks for.
.PHONY: demo test soak check format bench setup lock

MINUTES ?= 5
WORKERS ?= 4
BIN := .venv/bin

demo: setup
	$(BIN)/scanlatch demo $(ARGS)

test: setup
	tools/scripts/test_tools.sh
	PATH="$$PATH:/usr/sbin:/usr/local/sbin" env -u PYTHONDONTWRITEBYTECODE \
		$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

soak: setup
	tools/scripts/test_tools.sh
	PATH="$$PATH:/usr/sbin:/usr/local/sbin" $(BIN)/python tools/scripts/soak.py --minutes $(MINUTES)

check: setup
	tools/scripts/check.sh

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup
	$(BIN)/scanlatch bench $(ARGS)

setup:
	@tools/scripts/setup.sh

lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --no-header --no-annotate -q -o requirements.lock

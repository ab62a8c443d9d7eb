# Two commands matter to a newcomer: `make demo` and `make test`. Each does its own set-up.
# Needed: make and Python 3.11, 3.12 or 3.13. Everything else is installed into .venv from hashed lock files.

PYTHON ?= $(shell command -v python3.13 >/dev/null 2>&1 && python3.13 -c '' 2>/dev/null && echo python3.13 || echo python3)
RUN := .venv/bin/strowger
PY := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help demo up test lint format dev bench bench-api soak chaos security seen-to-fail lock clean setup setup-dev

help: ## what you can type
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup:
	@$(PYTHON) scripts/setup_venv.py run

setup-dev:
	@$(PYTHON) scripts/setup_venv.py dev

demo: setup ## three simulated callers phone in; watch, then see what was kept
	@$(RUN) demo

up: setup ## keep everything running, with a local telephone exchange
	@$(RUN) up

test: setup-dev ## the whole suite, in parallel
	@$(PY) -m pytest

lint: setup-dev ## format, lint, types, import rules
	@$(PY) -m ruff format --check app ml workers tests scripts
	@$(PY) -m ruff check app ml workers tests scripts
	@$(PY) -m mypy
	@.venv/bin/lint-imports --no-cache

format: setup-dev ## write the format ruff wants
	@$(PY) -m ruff format app ml workers tests scripts
	@$(PY) -m ruff check --fix app ml workers tests scripts

dev: setup-dev ## like `up`, started anew whenever code changes
	@$(PY) -m watchfiles --filter python '$(RUN) up' app ml workers

bench: setup ## calls against emulated providers: delay at the caller's ear, manners, CPU and memory per call
	@$(RUN) bench
	@$(RUN) evaluate models --only speed --only memory --only files

soak: setup ## 500 short calls: does the service's memory stay where it is
	@$(RUN) bench --soak 500

chaos: setup-dev ## providers fail, crowds phone in, parts are killed: one row for each fault F01 to F30
	@$(PY) -m app.chaos

bench-api: setup ## the API on a workspace with a million calls, read by a thousand clients
	@$(PY) -m app.bench_api

security: setup-dev ## secrets in the repository, careless code, known faults of dependencies, every test of a threat, made-up requests
	@$(PY) scripts/security.py

seen-to-fail: setup-dev ## every control of the threat table is switched off once, in a copy: its test has to notice
	@$(PY) scripts/seen_to_fail.py

screenshots: setup-dev ## every screen of the dashboard as a picture, into ./screenshots (needs Node and Chromium)
	@$(PY) scripts/screenshots.py

lock: ## write the lock files anew (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements-dev.lock

clean: ## remove the environment and the embedded data
	rm -rf .venv .strowger

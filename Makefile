# Every task of the project; `make help` lists them.
# Needs make, a shell and Python 3.11 to 3.13; uv is used where it is found and not needed.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
PYTHON ?= python3 python3.13 python3.12 python3.11
DATE ?= 2025-01-15
DEMO := .shotclock/demo
ARGS ?=
START := $(shell { git rev-parse HEAD; date -u +%F; } 2>/dev/null | cksum | cut -d' ' -f1)

SUITABLE := import sys; assert (3, 11) <= sys.version_info < (3, 14)
LOCK := uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" --group build

ifeq ($(UV),)
SUITABLE += ; import ensurepip, venv
CREATE = "$$python" -m venv --clear $(VENV)
INSTALL = $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check
else
CREATE = uv venv --quiet --clear --python "$$python" $(VENV)
INSTALL = uv pip install --quiet --link-mode copy --compile-bytecode --python $(BIN)/python
endif

.PHONY: help run test test-long test-all proofs seeds mutants coverage check bench format lock clean

help: ## list the tasks
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "make %-10s %s\n", $$1, $$2 }'

run: $(VENV)/run.stamp ## run one day of the reference pipeline on its simulated league (DATE=2025-01-15)
	@rm -rf $(DEMO)
	@$(BIN)/shotclock run pipelines/nba $(DATE) --home $(DEMO)

test: $(VENV)/dev.stamp ## run every test but the long proofs (ARGS="-k gate" for some)
	@$(BIN)/python -m pytest -m "not long" $(ARGS)

test-long: $(VENV)/dev.stamp ## run the long proofs: whole simulations, kills, large rolls
	@$(BIN)/python -m pytest -m long $(ARGS)

test-all: $(VENV)/dev.stamp ## run every test, short and long, on each kind of store; what this machine lacks fails
	@SHOTCLOCK_REQUIRE=all $(BIN)/python -m pytest $(ARGS)

proofs: $(VENV)/dev.stamp ## run a fixed slice of the long proofs, as CI does
	@SHOTCLOCK_PROOF=slice $(BIN)/python -m pytest -m long $(ARGS)

seeds: $(VENV)/dev.stamp ## simulate 500 seeds that are others for each commit and day (START=4711 to repeat)
	@echo "these seeds again: make seeds START=$(START)"
	@$(BIN)/shotclock simulate --start $(START) --seeds 500

mutants: $(VENV)/dev.stamp ## plant bugs in the product, one at a time, and show that each is found
	@$(BIN)/python -m pytest -m "not long" -k planted tests/simulation tests/crash $(ARGS)

coverage: $(VENV)/dev.stamp ## show that its tests take every branch of the core
	@$(BIN)/python -m pytest -m "not long" tests/unit/core --cov=shotclock.core --cov-fail-under=100 $(ARGS)

check: $(VENV)/dev.stamp ## check format, lint, types and the import contract
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: $(VENV)/bench.stamp ## measure everything beside its target and its peers, into bench/RESULTS.md (ARGS=--quick)
	@$(BIN)/python -m bench $(ARGS)

format: $(VENV)/dev.stamp ## format the code and apply the safe fixes
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: ## renew the locked requirements (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv on PATH" >&2; exit 1; }
	$(LOCK) --upgrade --extra duckdb --extra postgres --extra serve --output-file requirements/run.txt
	$(LOCK) --upgrade --extra duckdb --extra postgres --extra serve --group dev --constraint requirements/run.txt --output-file requirements/dev.txt
	$(LOCK) --upgrade --group bench --constraint requirements/run.txt --constraint requirements/dev.txt \
		--output-file requirements/bench.txt

clean: ## remove the environment, caches and demo
	rm -rf $(VENV) $(DEMO) .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache dist
	find src pipelines tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment: made anew when the lock changes, so that nothing older stays in it.
$(VENV)/python.stamp: requirements/run.txt requirements/dev.txt
	@for python in $(PYTHON); do "$$python" -c '$(SUITABLE)' 2>/dev/null && break; python=; done; \
	test -n "$$python" || { echo "no Python 3.11 to 3.13 with venv and pip among: $(PYTHON); install one (Debian: python3-venv), or name it: make PYTHON=..." >&2; exit 1; }; \
	echo "setting up $(VENV) with $$($$python -V)"; $(CREATE)
	@touch $@

$(VENV)/run.stamp: $(VENV)/python.stamp pyproject.toml
	@$(INSTALL) --require-hashes -r requirements/run.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/bench.stamp: $(VENV)/dev.stamp requirements/bench.txt
	@$(INSTALL) --require-hashes -r requirements/bench.txt
	@touch $@

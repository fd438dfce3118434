# Everything there is to do here. Works from any folder (make -C, make -f) and with a space in the path.

PYTHON ?= python3
# Test processes. One more than cores on a small machine: each waits for the servers about half of its time.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); [ $$n -lt 4 ] && echo $$((n + 1)) || echo 4)
# Without a PATH programs are still found, but Python does not learn where it is itself.
ifeq ($(origin PATH),undefined)
export PATH := /usr/local/bin:/usr/bin:/bin
endif
# The two words that would break at a space are kept out of make's hands: the shell finds the folder.
ROOT := $(shell list='$(MAKEFILE_LIST)'; cd "$$(dirname "$${list# }")" && pwd)
RUN_READY = cd "$(ROOT)" && $(PYTHON) gateway/local/bootstrap.py
VENV = .local/venv/bin/python
# Compiled modules go where `make reset` finds them, also on a machine that tells Python to write none: without them every
# process of the stack compiles 1,700 modules anew, five seconds each.
export PYTHONPYCACHEPREFIX := $(ROOT)/.local/pycache
unexport PYTHONDONTWRITEBYTECODE
TEST = $(RUN_READY) test && $(VENV)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test check journey bench bench-catalogue search-eval browser interop fuzz chaos reset format format-check lint types contracts coverage reference migration

help: ## list what can be done
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' "$(ROOT)/Makefile"

run: ## install, start everything on this machine, show addresses and demo people; Ctrl-C ends it (PORT=, SANDBOX_PORT=)
	@cd "$(ROOT)" && exec $(PYTHON) gateway/local/bootstrap.py run

journey: ## one citizen's whole matter over HTTP, step by step, against the stack of `make run`
	@$(TEST) -m tests.journey

reset: ## remove everything that run and test have made (.local)
	@$(RUN_READY) reset

test: ## the whole suite on real, embedded PostgreSQL and Valkey (ARGS="tests/core -k money")
	@$(TEST) -m pytest -n $(WORKERS) $(ARGS)

check: format-check lint types contracts coverage fuzz ## what the pipeline runs: format, lint, types, contracts, tests with coverage, fuzzing

format: ## put every file into the one format
	@$(TEST) -m ruff format . && $(VENV) -m ruff check --fix .

format-check:
	@$(TEST) -m ruff format --check .

lint: ## ruff
	@$(TEST) -m ruff check .

types: ## mypy --strict
	@$(TEST) -m mypy

contracts: ## who may import whom
	@$(TEST) -c 'from importlinter.cli import lint_imports_command as lint; lint()'

coverage: ## the tests, with branch coverage
	@$(TEST) -m pytest -n $(WORKERS) --cov --cov-report=term $(ARGS)

fuzz: ## requests made up from the contract, for a bounded time
	@$(TEST) -m tests.fuzz

interop: ## our protocols against implementations by others (needs node)
	@$(RUN_READY) test && cd interop && npm ci --no-audit --no-fund && cd .. && $(VENV) -m pytest interop

browser: ## the sign-in pages in a real Chromium, which must be installed (ARGS=--write-screenshots: docs/images)
	@$(TEST) -m pytest -m browser tests/browser $(ARGS)

search-eval: ## how well the search finds what people mean among 20,000 items; last line JSON
	@$(TEST) -m bench.search_eval

bench-catalogue: ## speed of items, lists, search and places near me at city scale; last line JSON
	@$(TEST) -m bench.catalogue

bench: ## measure speed; prints the numbers of docs/reference/performance.md
	@$(TEST) -m bench

chaos: ## kill parts of the stack in the middle of work, and look whether anything was lost
	@$(TEST) -m tests.chaos

reference: ## write docs/reference/openapi.json and errors.md from the code
	@$(TEST) -m gateway.local reference

migration: ## an empty migration with the next number (NAME=add_x)
	@$(TEST) -m gateway.local.migration $(NAME)

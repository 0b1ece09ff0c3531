# The front door. Paths of HEADRACE_HOME may hold blanks, which make cannot carry: only the scripts see them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup demo up status down test test-long test-all test-browser chaos lint lock executors wheel
.PHONY: kafka-shell
.PHONY: bench bench-quick audit
export PYTHON

# Two processes: one begins with the stack, which waits a lot; the other with what is cheap. See tests/conftest.py.
TESTS := -n 2 --no-loadscope-reorder $(addprefix tests/,e2e unit dags spark integration)
# What needs long, the most valuable first: after MINUTES= the rest is left out by name.
LONG := $(addprefix tests/long/,chaos test_machines.py wrong_input land local cluster compose wheel airflow registry bench)

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

setup: ## Set up what is missing, under HEADRACE_HOME (every other verb does it too)
	@local/run -c ''

demo: ## From nothing to right tables: set up, start the stack, run the wind turbine, show the results
	@local/run -m local demo

up: ## Start the stack; returns when every part is healthy
	@local/run -m local up

status: ## Show each part's port, process and health
	@local/run -m local status

down: ## End the stack, all of it and nothing else
	@local/run -m local down

kafka-shell: ## Open a shell with Kafka's own tools, set up for the stack's broker
	@local/run -m local kafka-shell

test: ## Run the tests that hold every promise, in a quarter of an hour; no root, no browser
	@local/run -m pytest $(TESTS)

test-long: ## Run what takes long: crash suite, demonstration, wrong input, fuzz, stack, Compose; MINUTES=
	@local/run -m pytest $(if $(MINUTES),--minutes $(MINUTES)) $(LONG)

test-all: test test-long ## Run all tests but those that need a browser

test-browser: ## Run the tests that look at the web UI; they need Chromium
	@local/run -m pytest tests/browser

chaos: ## Kill what can be killed, N= times, with SEED= and FAULT=, and compare the tables row by row
	@local/run -m chaos $(if $(N),--trials $(N)) $(if $(SEED),--seed $(SEED)) $(if $(FAULT),--fault "$(FAULT)")

bench: ## Run the benchmarks, 90 minutes, and write docs/performance.md anew; ONE=name for one of them
	@local/run -m bench all $(if $(ONE),--one $(ONE))

bench-quick: ## Run the benchmarks in small, six minutes; ONE=name for one of them
	@local/run -m bench all --quick $(if $(ONE),--one $(ONE))

lint: ## Check style, types and the arrows between the rooms
	@local/run -m ruff check .
	@local/run -m ruff format --check .
	@local/run -m mypy
	@local/run -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

executors: ## Pack what Spark's executors need, for a cluster whose workers have no checkout
	@local/run -m local executors

audit: ## Hold packages and jars against lists of known holes; of a stream's account see `headrace audit`
	@local/run -m local audit

wheel: ## Build the wheel, with the operators and gates for DAGs of your own, into dist/
	@local/run -m hatchling build -t wheel

lock: ## Compile requirements.txt and local/install/jars.lock again
	@local/run -m local lock

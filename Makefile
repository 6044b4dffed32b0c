# The front door. Every target does the set-up it needs, once, and is quiet about it afterwards.
.DEFAULT_GOAL := help
SETUP := python3 scripts/setup.py
RUN := .venv/bin/
# Without it every process that a test starts would compile the whole project anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test check format bench bench-large bench-peers bench-scale soak docs wheel clean

help: ## show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: ## make the virtual environment from the lock file
	@$(SETUP)

demo: setup ## a practice, an office, HQ and the patient portal in one process, on this machine alone
	@$(RUN)econnector demo

test: check ## everything: check, then the whole test suite
	@$(SETUP) --test
	@# More than twice the two cores that it must do with: tests wait much for processes that begin (10 minutes; 12 with four).
	@$(RUN)python scripts/suite.py -n 5 --dist loadfile --no-loadscope-reorder

check: setup ## lint, format, types, import rules, audit of dependencies
	@$(RUN)ruff check .
	@$(RUN)ruff format --check --quiet .
	@$(RUN)mypy
	@$(RUN)lint-imports --no-logo
	@$(RUN)python scripts/audit.py

format: setup ## put the code in the house's form
	@$(RUN)ruff check --fix --quiet .
	@$(RUN)ruff format .

bench: setup ## measure, as ratios within one run; writes benchmarks/results/ and docs/performance.md
	@$(SETUP) --test
	@$(RUN)python -m benchmarks

bench-large: setup ## pages with 500 and with 500,000 patients; fails where they are slower with the many
	@$(SETUP) --test
	@$(RUN)python -m benchmarks.large

bench-scale: setup ## one gateway with 10 to 10,000 offices: memory, pages, heartbeats, all back after a kill
	@$(SETUP) --test
	@$(RUN)python -m benchmarks.scale

bench-peers: setup ## beside other tunnels (ssh -R, SniTun, localtunnel and what is on PATH); eight minutes
	@$(SETUP) --peers
	@$(RUN)python -m benchmarks.peers

soak: setup ## 15 minutes of traffic while everything is hurt (SOAK_MINUTES, SOAK_SEED); writes docs/performance.md
	@$(SETUP) --test
	@$(RUN)python -m tests.soak

docs: setup ## write the pages that are made from the code
	@$(RUN)python scripts/errors_page.py > docs/errors.md
	@$(RUN)econnector office settings --markdown > docs/settings.md
	@$(RUN)econnector hq settings --markdown > docs/hq-settings.md

wheel: ## make dist/econnector-….whl, which an office installs
	@$(SETUP) --wheel
	@ls dist/*.whl

clean: ## remove what the targets made
	rm -rf .venv .cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist

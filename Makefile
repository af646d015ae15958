# The commands of this repository. They need make, Python 3.11 or newer, and nothing else.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup setup-for-tests hub test soak promises bench screenshots wheel clean

help:  ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | sort | awk -F '\t' '{printf "make %-14s %s\n", $$1, $$2}'

setup:  ## make .venv with all that the hub needs (the first time takes a minute)
	@$(PYTHON) tools/bootstrap.py

setup-for-tests:
	@$(PYTHON) tools/bootstrap.py --for-tests

hub: setup  ## run the hub on http://127.0.0.1:8000 (PORT, STATE, SETTINGS choose otherwise)
	@exec $(BIN)/python -m allotment_hub.launch

# The commands of this repository. They need make, Python 3.11 or newer, and nothing else.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# A process of tests for each core; a file's tests stay together. ARGS=-n0 runs them one by one.
BESIDE := -n logical --maxprocesses 4 --dist loadfile

.PHONY: help setup setup-for-tests hub test soak promises bench screenshots wheel clean

help:  ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1 \2/p' Makefile | while read -r name text; do printf 'make %-12s %s\n' "$$name" "$$text"; done

setup:  ## make .venv with all that the hub needs (the first time takes a minute)
	@$(PYTHON) tools/bootstrap.py

setup-for-tests:
	@$(PYTHON) tools/bootstrap.py --for-tests

hub: setup  ## run the hub on http://127.0.0.1:8000 (PORT, STATE, SETTINGS choose otherwise)
	@exec $(BIN)/python -m allotment_hub.launch

test: setup-for-tests  ## lint, types, architecture and all tests (ARGS go to pytest)
	@$(BIN)/python tools/checks.py $(BESIDE) $(ARGS)

soak: setup-for-tests  ## the same tests with their tortures long
	@ALLOTMENT_SOAK=1 $(BIN)/python -m pytest $(BESIDE) $(ARGS)

promises: setup-for-tests  ## run the tests, then print which promises they prove and which have none
	@mkdir -p .build && rm -f .build/promises.json
	-@$(BIN)/python -m pytest -q --promises-to .build/promises.json $(BESIDE) $(ARGS)
	@$(BIN)/python tools/promises.py .build/promises.json

bench: setup-for-tests  ## measure, and print one table
	@$(BIN)/python benchmarks/everything.py $(ARGS)

screenshots: setup-for-tests  ## draw every page and panel again, into docs/screenshots
	@PYTHONPATH=tools $(BIN)/python docs/make_screenshots.py $(ARGS)

wheel: setup-for-tests  ## build the distribution into dist/
	@$(BIN)/hatchling build

clean:  ## remove what make made, but not state/
	rm -rf .venv .build dist widgets/node_modules widgets/allotment_widgets/static
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Two commands matter: `make demo` and `make test`. Both set up .venv first, once.

PYTHON ?= python3
INDEX  ?= .samples-index
PORT   ?= 8000
ARGS   ?=
QUIET  ?= --quiet

BIN   := .venv/bin
READY := .venv/.ready
PIP   := $(BIN)/python -m pip install $(QUIET) --disable-pip-version-check --constraint constraints.txt
# A virtual environment holds its own absolute path, so one that was moved with its checkout is made anew.
MOVED := $(shell [ ! -e $(READY) ] || [ "$$(cat $(READY))" = "$$(pwd -P)" ] || echo moved)

.DEFAULT_GOAL := help
.PHONY: help setup demo test serve lint format types bench faults gpu train clean moved

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## make .venv with the pinned dependencies, unless it is there

# torch goes first, by its pin, so that nothing else can choose another build; the stamp is written last, so that a
# set-up that failed is tried again.
$(READY): pyproject.toml constraints.txt $(MOVED)
	@rm -f $(READY)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Spanglot needs Python 3.11 or newer, which '$(PYTHON)' is not: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "'$(PYTHON)' cannot make virtual environments: install its venv module (Debian: python3-venv)" >&2; exit 1; }
	@echo "Setting up .venv: a few minutes, once." >&2
	@$(PYTHON) -m venv .venv
	@{ $(PIP) torch==2.13.0 hatchling && $(PIP) --no-build-isolation --editable '.[test]'; } || \
		{ echo "The set-up failed: 'make setup QUIET=' shows all that pip says." >&2; exit 1; }
	@pwd -P > $(READY)

moved:
	@rm -rf .venv

demo: $(READY) ## index the sample corpus and ask it questions in many languages
	@$(BIN)/spanglot demo

test: lint types ## lint, types and tests
	$(BIN)/python -m pytest --durations=10 --durations-min=1.0 $(ARGS)

serve: $(READY) ## serve the sample corpus over HTTP (INDEX=.samples-index PORT=8000)
	@$(BIN)/spanglot info '$(INDEX)' >/dev/null 2>&1 || $(BIN)/spanglot index corpora/samples/documents --into '$(INDEX)'
	@$(BIN)/spanglot serve --index '$(INDEX)' --port $(PORT) $(ARGS)

lint: $(READY) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY) ## rewrite the source in ruff's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(READY) ## mypy --strict on the packages
	$(BIN)/mypy

bench: $(READY) ## the benchmarks
	@if [ -f benchmarks/__main__.py ]; then $(BIN)/python -m benchmarks $(ARGS); \
	else echo "not run: there are no benchmarks yet"; fi

faults: $(READY) ## the fault suite at full counts
	@if [ -d tests/faults ]; then SPANGLOT_FAULTS=full $(BIN)/python -m pytest tests/faults $(ARGS); \
	else echo "not run: there is no fault suite yet"; fi

gpu: $(READY) ## agreement with the CPU, and tokens/s, where there is a GPU
	@if ! $(BIN)/python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then echo "not run: no GPU"; \
	elif [ -f benchmarks/gpu.py ]; then $(BIN)/python -m benchmarks.gpu $(ARGS); \
	else echo "not run: there is no GPU check yet"; fi

train: $(READY) ## train a reader (make train ARGS="--help")
	@$(BIN)/spanglot train $(ARGS)

clean: ## remove caches, built wheels and the sample index; .venv stays
	@rm -rf build dist .samples-index .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# SPDX-License-Identifier: MIT
#
# `make` does everything; `make help` lists the rest. Needs python3 (3.11 or newer), its venv module and make:
# no compiler, no root. Another Python: make PYTHON=python3.12

PYTHON ?= python3
# Only prebuilt, hash-checked files are installed. Where one is missing (not x86-64 or arm64): make PIPFLAGS=
PIPFLAGS ?= --only-binary :all:

BIN := .venv/bin
STAMP := .venv/.stamp
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.DEFAULT_GOAL := all
.NOTPARALLEL:
.PHONY: all setup run site test lint bench handlers lock clean help

all: setup run site ## all of it: setup, run, site (the default)

setup: $(STAMP) ## make .venv with exactly what requirements.txt pins

$(STAMP): requirements.txt pyproject.toml
	@command -v "$(PYTHON)" >/dev/null || { \
	  echo "mapspec: '$(PYTHON)' not found. On Debian: apt install python3 python3-venv"; exit 1; } >&2
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "mapspec: needs Python 3.11 or newer; $(PYTHON) is $$("$(PYTHON)" -V 2>&1)."; \
	  echo "Debian 12 has it as python3; elsewhere name a newer one: make PYTHON=python3.12"; exit 1; } >&2
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "mapspec: $(PYTHON) has no venv module. On Debian: apt install python3-venv"; exit 1; } >&2
	@echo "Installing the pinned tools into .venv"
	@which='import sys; print(sys.base_prefix, sys.version)'; \
	{ $(BIN)/python -m pip -V && [ "$$($(BIN)/python -c "$$which")" = "$$("$(PYTHON)" -c "$$which")" ]; } \
	  >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear .venv
	@$(PIP) install --require-hashes $(PIPFLAGS) -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

run: $(STAMP) ## run the scenarios on the model in every profile, then on the running kernel if it may
	@mkdir -p build/reports
	@echo "Running the scenarios on the reference model, in every profile"
	@$(BIN)/mapspec run --profile all --reports build/reports
	@echo "Running the scenarios on the running kernel, if it may"
	@$(BIN)/mapspec run --implementation linux --if-possible --report build/reports/linux.jsonl || [ $$? -eq 1 ]

site: $(STAMP) ## build the site from spec/, features/ and the reports
	@echo "Building the site"
	@$(BIN)/sphinx-build -q -b html docs build/site
	@echo "The site: build/site/index.html"

test: $(STAMP) ## pytest over tests/ and features/
	@echo "Running the tests"
	@$(BIN)/python -m pytest -q

lint: $(STAMP) ## ruff and mypy
	@echo "Checking style and types"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(STAMP) ## measure: engine against behave and pytest-bdd, model, kernel, site (BENCH=lab: kernels of the lab)
	@echo "Measuring; this takes about four minutes$(if $(filter lab,$(BENCH)),; the lab a quarter of an hour)"
	@$(BIN)/python -m tests.bench $(BENCH)

handlers: $(STAMP) ## compile the driver guide's handlers against kernel headers, and record it (MAPSPEC_KERNELS=DIR:DIR)
	@echo "Compiling the example handlers"
	@$(BIN)/python -m tests.handlers --record

lock: ## write requirements.txt again from pyproject.toml (newer versions: make lock LOCKFLAGS=--upgrade)
	@echo "Resolving pyproject.toml into requirements.txt"
	@"$(PYTHON)" -m venv build/lock
	@build/lock/bin/python -m pip --disable-pip-version-check -q install uv
	@build/lock/bin/uv pip compile -q --no-config --universal --fork-strategy fewest --python-version 3.11 \
	  --all-extras --generate-hashes --no-header --no-emit-index-url $(LOCKFLAGS) -o requirements.txt pyproject.toml

clean: ## remove everything that was built, and caches; keeps .venv
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -path ./.venv -prune -o -path ./.git -prune -o -type d -name __pycache__ -exec rm -rf {} +

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

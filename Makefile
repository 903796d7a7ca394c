# `make up` and `make test` need Python 3.11 or newer and a package index, nothing else.
#   PYTHON=python3.12    the Python to build .venv with (default: the first of the list below that works)
#   TORCH_INDEX=https://download.pytorch.org/whl/cpu    take the CPU build of torch from there (smaller by gigabytes)
# pip's own variables (PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, ...) are honoured.

.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
# The wheel of Redis exists for 3.12 and 3.11, so those come first.
CANDIDATES := $(or $(PYTHON),python3.12 python3.11 python3.13 python3.14 python3)
# Installed once for each state of these two files.
STATE := $(shell cat pyproject.toml constraints.txt | cksum | tr ' ' '-')
INSTALL := $(BIN)/python -m pip install --no-input $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -c constraints.txt

.PHONY: help up traffic test lint constraints clean-venv

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile

up: $(VENV)/installed-local-$(STATE) ## start the whole app on this machine; Ctrl-C stops it
	@exec $(BIN)/python manage.py up

traffic: $(VENV)/installed-local-$(STATE) ## send sample checks to the running app (COUNT=300)
	@exec $(BIN)/python manage.py traffic $(if $(COUNT),--count $(COUNT))

test: $(VENV)/installed-dev-$(STATE) ## run everything: lint, types, import contracts, tests
	$(BIN)/python tests/browser/install_chromium.py
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/installed-dev-$(STATE) ## run the static checks alone
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	find templates -name '*.html' | xargs $(BIN)/djade --check --target-version 5.2

constraints: ## resolve the newest allowed versions into constraints.txt
	rm -rf build/constraints
	$(VENV)/bin/python -m venv build/constraints
	build/constraints/bin/pip install --upgrade pip
	build/constraints/bin/pip install $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -e '.[local,train,dev]'
	echo '# Made by `make constraints`; ranges are in pyproject.toml.' > constraints.txt
	@# The CPU build of torch calls itself 2.x+cpu; without the suffix the pin fits every build.
	build/constraints/bin/pip freeze --exclude-editable | sed 's/+cpu$$//' >> constraints.txt
	@# redis needs it below Python 3.11.3 only, so the environment that was just resolved may not have it.
	grep -q '^async-timeout' constraints.txt || echo 'async-timeout==5.0.1' >> constraints.txt

clean-venv: ## remove .venv (not the data under var/)
	rm -rf $(VENV)

$(VENV)/installed-local-$(STATE): | $(BIN)/pip
	@echo 'Installing dependencies into $(VENV) (first start: several minutes)'
	$(INSTALL) -e '.[local]'
	@rm -f $(VENV)/installed-local-* && touch $@

$(VENV)/installed-dev-$(STATE): | $(BIN)/pip
	@echo 'Installing dependencies and test tools into $(VENV)'
	$(INSTALL) -e '.[local,train,dev]'
	@rm -f $(VENV)/installed-* && touch $@ $(VENV)/installed-local-$(STATE)

$(BIN)/pip:
	@python=''; for name in $(CANDIDATES); do \
	  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo 'Countersign needs Python 3.11 or newer; none of these is: $(CANDIDATES)'; \
	  echo 'Install one, or name it: make up PYTHON=/path/to/python3.12'; exit 1; \
	fi; \
	echo "Creating $(VENV) with $$($$python --version)"; \
	if $$python -c 'import ensurepip' >/dev/null 2>&1; then $$python -m venv $(VENV); \
	else $$python -m venv --without-pip $(VENV) && $(BIN)/python webapp/local/fetch_pip.py; fi
	@$(BIN)/python -m pip install --quiet --upgrade pip

# Targets for people; `make help` lists them.
VENV ?= .venv
PYTHON ?= $(VENV)/bin/python

.PHONY: help install demo docs gallery quickstart-page test test-slow torture test-torch mutation bench bench-quick lint web tree

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(VENV)/bin/munet: pyproject.toml
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install -e '.[quickstart]'
	@touch $@

$(VENV)/.test-extras: pyproject.toml
	test -x $(VENV)/bin/python || python3 -m venv $(VENV)
	$(VENV)/bin/pip install -e '.[test,quickstart]'
	@touch $@

install: $(VENV)/bin/munet ## install into .venv

demo: $(VENV)/bin/munet ## install, then grow a small system on real digits and rendered scripts
	$(VENV)/bin/munet quickstart

$(VENV)/.bench-extras: pyproject.toml
	test -x $(VENV)/bin/python || python3 -m venv $(VENV)
	$(VENV)/bin/pip install -e '.[bench]'
	@touch $@

# With another PYTHON the caller has installed the extras there.
ifeq ($(PYTHON),$(VENV)/bin/python)
test test-slow torture lint mutation: $(VENV)/.test-extras
bench bench-quick: $(VENV)/.bench-extras
endif

# A worker for each core, four at most: each holds torch. One thread a worker, and where a test takes two they wait for
# each other asleep, or they would keep the others from the cores.
test: ## install the test extras, run the tests
	OMP_WAIT_POLICY=PASSIVE OMP_NUM_THREADS=1 $(PYTHON) -m pytest -m 'not slow' -rs -n auto --maxprocesses 4 --dist worksteal

torture: ## the whole campaign against the store, an hour; `make test-slow` has ten minutes of it
	$(PYTHON) -m pytest -m torture -s tests/torture

test-slow: ## the long checks: 100 kills of an evolving run, the published budgets
	$(PYTHON) -m pytest -m slow

TORCH ?= $(shell grep -oE '"torch>=[0-9.]+' pyproject.toml | cut -d= -f2)
test-torch: ## the tests of models, training and evolution on the oldest torch, or TORCH=2.9.0, in an environment of its own
	.ci/torch-environment build/torch-$(TORCH) $(TORCH)
	build/torch-$(TORCH)/bin/python -m pytest -m 'not slow' -rs tests/model tests/training tests/evolution

PACKAGE ?= search
mutation: ## break search/ (or PACKAGE=store, model, training) line by line: do its tests notice? hours
	OMP_NUM_THREADS=1 nice -n 15 $(PYTHON) -m mutmut run --max-children 1 'munet.$(PACKAGE).*'
	$(PYTHON) -m mutmut results

bench: ## all benchmarks, half an hour on two cores; tables in build/bench
	$(PYTHON) benchmarks

bench-quick: ## the same with tiny sizes, to see that they run
	$(PYTHON) benchmarks --quick

web: ## build the scripts of the page (needs Node 20), check and test them
	npm --prefix web ci --ignore-scripts --no-audit --no-fund
	npm --prefix web run build
	npm --prefix web run check
	npm --prefix web test

lint: ## style and types
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m pyright

$(VENV)/.docs-extras: pyproject.toml
	test -x $(VENV)/bin/python || python3 -m venv $(VENV)
	$(VENV)/bin/pip install -e '.[docs]'
	@touch $@

docs: $(VENV)/.docs-extras ## the docs as a site, build/site; every link is checked
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build

gallery: ## run what docs/gallery.md describes and draw its pictures, some minutes on two cores
	$(PYTHON) tools/gallery.py build/gallery

quickstart-page: ## put the run of `make demo` into docs/quickstart.md
	$(PYTHON) tools/quickstart_page.py munet-quickstart

tree: ## write the tree of src/munet in docs/design.md again
	$(PYTHON) tools/tree.py

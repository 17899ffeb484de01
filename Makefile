# One vocabulary for people, hooks and CI. Variables: PYTHON (the interpreter to build on), VENV, PORT.
PYTHON ?= python3
VENV ?= .venv
PORT ?= 5000
BIN := $(CURDIR)/$(VENV)/bin
READY := $(VENV)/.ready
export PATH := $(BIN):$(PATH)
unexport PYTHONDONTWRITEBYTECODE  # or each of the many processes of the tests compiles the project anew

.DEFAULT_GOAL := help
.PHONY: help env repro test test-slow torture lint format types ui clean-mlflow lock published readme clean distclean

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 14

env: $(READY)  ## make the environment from requirements.lock
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(not (3, 11) <= v < (3, 14) and \
	  "Python 3.11 to 3.13 is needed, $(PYTHON) is %d.%d; name another one: make PYTHON=python3.11 ..." % v)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

repro: env  ## run the study that params.yaml describes: data to verdict
	@python pipelines/check.py  # DVC reads params.yaml before any stage, and does not say what is wrong in it
	dvc repro

# A process for each core. A file stays in one process, which makes what its tests share once.
test: env  ## run the tests (fast tier, no downloads)
	pytest -n logical --dist loadfile --no-loadscope-reorder

test-slow: env  ## run the tests that take minutes: whole studies, killed searches, launchers, a browser
	pytest -n logical --dist loadfile --no-loadscope-reorder -m slow

torture: env  ## kills, bad input and hostile files (half an hour), with a table at the end
	python benchmarks/torture.py

lint: env  ## ruff: lint and formatting
	ruff check .
	ruff format --check .

format: env  ## let ruff fix what it can
	ruff check --fix .
	ruff format .

types: env  ## mypy
	mypy

ui: env  ## open the MLflow UI on http://127.0.0.1:$(PORT)
	@python -m crossover.tracking.links --port $(PORT)
	mlflow ui --port $(PORT)

clean-mlflow: env  ## say which studies in MLflow the project no longer has (CLEAN=--remove removes them)
	python -m crossover.tracking.cleaning $(CLEAN)

published: env  ## check the published numbers again on the real data (minutes)
	python benchmarks/published.py
	python benchmarks/published_curve.py

readme: env  ## fill the tables of README.md and docs/results.md from reports/ (REPORTS names another folder)
	python docs/fill.py $(REPORTS)

lock: env  ## pin every dependency with its hashes, for Python 3.11 to 3.13
	uv pip compile --quiet --universal --python-version 3.11 --extra dev --extra catboost --extra ray --extra skrub --extra tabicl --generate-hashes --no-annotate \
	  --custom-compile-command 'make lock' pyproject.toml -o requirements.lock

clean:  ## remove what runs leave behind (results, DVC's cache and the databases stay)
	rm -rf .staging outputs multirun .pytest_cache .ruff_cache .mypy_cache build

distclean: clean  ## remove the environment too
	rm -rf $(VENV) src/*.egg-info

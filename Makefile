# `make demo` and `make test` are all the set-up a fresh machine needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-spark simulation check reference docs benchmark clean

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

$(VENV)/installed-spark: $(VENV)/installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,spark]'
	touch $@

demo: $(VENV)/installed  ## the whole example survey, from the frame to the report
	cd examples/eni-do && ../../$(BIN)/nsm run

test: $(VENV)/installed-test  ## all tests but Spark and full-size simulations
	$(BIN)/python -m pytest

test-spark: $(VENV)/installed-spark  ## the engine suite on Spark (needs Java)
	$(BIN)/python -m pytest -m spark

simulation: $(VENV)/installed-test  ## full-size Monte Carlo studies (hours)
	$(BIN)/python -m pytest -m simulation

check: $(VENV)/installed-test  ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

reference:  ## reference numbers from R (needs r-base-core, r-cran-survey, r-cran-sampling)
	set -e; cd tests/reference; for script in $$(find . -name '*.R'); do echo $$script; (cd $$(dirname $$script) && Rscript $$(basename $$script)); done

docs: $(VENV)/installed  ## the documentation as pages, in docs/_build
	$(BIN)/python docs/build.py

benchmark: $(VENV)/installed-test  ## ratios beside svy and R, in one run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'svy>=0.30'
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf $(VENV) .nsm .hypothesis .mypy_cache .pytest_cache .ruff_cache

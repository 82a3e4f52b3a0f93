# Two commands do all the set-up: `make reproduce` and `make test`. Stamps keep a second call from re-installing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
OUT ?= reproduction
FULL ?=
# modules are compiled to bytecode when they are first imported: most of what is installed never is
INSTALL := $(PIP) install --no-compile --constraint constraints.txt --editable

# which needs that it is kept: otherwise every worker compiles the libraries again
unexport PYTHONDONTWRITEBYTECODE

.PHONY: reproduce test test-slow lint docs bench clean

$(VENV)/base.stamp: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("spinbattery needs Python 3.11 or later; set PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || echo "installing spinbattery and what it needs into $(VENV), once: some 700 MB"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) .
	touch $@

$(VENV)/test.stamp: $(VENV)/base.stamp
	$(INSTALL) '.[test]'
	touch $@

$(VENV)/docs.stamp: $(VENV)/base.stamp
	$(INSTALL) '.[docs]'
	touch $@

reproduce: $(VENV)/base.stamp
	$(BIN)/spinbattery reproduce --out $(OUT) $(if $(filter 1,$(FULL)),--full)

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m "not slow"

test-slow: $(VENV)/test.stamp
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m slow

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/python -m pytest --quiet tests/docs/test_vocabulary.py

docs: $(VENV)/docs.stamp
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

bench: $(VENV)/test.stamp
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) docs/_build build *.egg-info src/*.egg-info

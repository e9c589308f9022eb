# Every command a person needs. `make demo` and `make test` do all their own set-up.
SHELL := /bin/bash
PYTHON ?= python3
UV := .tools/bin/uv
READY := .venv/.ready
RUN := .venv/bin
export PYTHONPYCACHEPREFIX ?=

.PHONY: demo test check build deploy bench lock setup clean format

setup: $(READY)

$(UV): requirements/uv.txt
	@$(PYTHON) -m venv .tools
	@.tools/bin/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@touch $@

$(READY): requirements/dev.txt pyproject.toml $(UV)
	@test -x .venv/bin/python || $(UV) venv --quiet --python 3.13 .venv
	@$(UV) pip install --quiet --python .venv/bin/python --require-hashes -r requirements/dev.txt
	@$(UV) pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)  ## The main job, on the embedded sandbox
	@$(RUN)/autopilot demo

test: $(READY)  ## Every test, in parallel
	@$(RUN)/pytest -n 2 --cov --cov-report=term:skip-covered --cov-report=json:.coverage.json -q
	@$(RUN)/python tests/coverage_gate.py .coverage.json

check: $(READY)  ## Lint, types, imports, template
	@$(RUN)/ruff format --check .
	@$(RUN)/ruff check .
	@$(RUN)/mypy
	@$(RUN)/lint-imports
	@$(RUN)/cfn-lint template.yaml

format: $(READY)
	@$(RUN)/ruff format .
	@$(RUN)/ruff check --fix-only --quiet .

bench: $(READY)  ## Measures; see benchmarks/README.md
	@$(RUN)/python -m benchmarks

lock: $(UV)  ## Compile the pinned requirements from pyproject.toml
	@$(UV) pip compile --quiet --universal --generate-hashes --python-version 3.13 pyproject.toml -o layers/dependencies/requirements.txt
	@$(UV) pip compile --quiet --universal --generate-hashes --python-version 3.13 pyproject.toml --group dev -o requirements/dev.txt
	@echo "aws-sam-cli" | $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.13 - -o requirements/sam.txt
	@echo "uv" | $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.13 - -o requirements/uv.txt

clean:
	@rm -rf .venv .sam .aws-sam .tools .coverage* .pytest_cache .mypy_cache .ruff_cache

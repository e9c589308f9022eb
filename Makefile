# Every command a person needs. `make demo` and `make test` do all their own set-up.
SHELL := /bin/bash
PYTHON ?= python3
UV := .tools/bin/uv
READY := .venv/.ready
RUN := .venv/bin
SAM := .sam/bin/sam
ARCHITECTURE ?= arm64
ENVIRONMENT ?= default
export ARCHITECTURE
export SAM_CLI_TELEMETRY := 0

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

$(SAM): requirements/sam.txt $(UV)
	@test -x .sam/bin/python || $(UV) venv --quiet --python 3.13 .sam
	@$(UV) pip install --quiet --python .sam/bin/python --require-hashes -r requirements/sam.txt
	@touch $@

build: $(SAM)  ## Build the layers and functions for ARCHITECTURE (arm64 or x86_64)
	@UV="$(CURDIR)/$(UV)" $(SAM) build

deploy: build  ## Deploy to ENVIRONMENT of samconfig.toml (default, govcloud), asking for the parameters
	@$(SAM) deploy --guided --config-env $(ENVIRONMENT) --parameter-overrides Architecture=$(ARCHITECTURE)

demo: $(READY)  ## The main job, on the embedded sandbox
	@$(RUN)/autopilot demo --page demo.html

test: $(READY)  ## Every test, in parallel
	@$(RUN)/pytest -n 2 --cov --cov-report=term:skip-covered --cov-report=json:.coverage.json -q
	@$(RUN)/python tests/coverage_gate.py .coverage.json

check: $(READY) $(SAM)  ## Lint, types, imports, template
	@$(RUN)/ruff format --check .
	@$(RUN)/ruff check .
	@$(RUN)/mypy
	@for app in functions/*/app.py; do $(RUN)/mypy --no-error-summary $$app || exit 1; done
	@$(RUN)/lint-imports
	@$(RUN)/cfn-lint template.yaml
	@$(SAM) validate --lint --template template.yaml --region us-east-1

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

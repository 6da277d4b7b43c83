# The verbs of the project; CI runs `make check`.

PYTHON ?= $(if $(wildcard .venv/bin/python),.venv/bin/python,python3)

.DEFAULT_GOAL := help
.PHONY: help check front lint format types layers docs-check test slow cover docs samples rule site learn bench bench-reader bench-advisor

help: ## list the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

check: lint types layers docs-check front test ## everything that CI runs

lint: ## style, formatting, spelling
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m codespell_lib

format: ## let ruff repair what it can
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

types: ## mypy, strict
	$(PYTHON) -m mypy

layers: ## each layer imports only what is below it
	$(PYTHON) -c "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"

docs-check: ## fail where a generated page is stale
	$(PYTHON) tools/generate.py --check

front: ## the tests of the Diagnosis tab's JavaScript, where node is installed
	@if command -v node >/dev/null; then node --test tests/tensorboard_tab/front/*.test.mjs; \
	elif [ "$$TBDIAG_REQUIRE_BROWSER" = 1 ]; then echo "node is not installed" >&2; exit 1; \
	else echo "skipped: node is not installed"; fi

test: ## the quick tests
	$(PYTHON) -m pytest

slow: ## every test
	$(PYTHON) -m pytest -m "slow or not slow"

cover: ## the quick tests, with the branches that they miss
	$(PYTHON) -m pytest --cov

docs: ## write the generated pages anew
	$(PYTHON) tools/generate.py

samples: ## train the runs in sample_logs/ again: the same bytes
	$(PYTHON) tools/samples.py

learn: ## train the classifier behind suspicions on the calibration part of the gallery
	$(PYTHON) tools/learn.py

bench: ## measure the rules on labelled runs, into docs/accuracy.md and README.md
	$(PYTHON) -m benchmarks.diagnosis
	$(PYTHON) tools/generate.py

bench-reader: ## measure the reader beside its peers, into docs/reader-benchmark.md
	$(PYTHON) -m benchmarks.reader

bench-advisor: ## measure the advisor beside blind search, into docs/advisor-benchmark.md
	$(PYTHON) -m benchmarks.advisor

rule: ## start a new rule: make rule CODE=GEN006 NAME=memorized-labels FAMILY=generalization
	$(PYTHON) tools/new_rule.py $(CODE) $(NAME) $(FAMILY)

site: ## build the documentation site into site/ (needs the extra `docs`)
	$(PYTHON) -m mkdocs build --strict

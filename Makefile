# The first call sets up .venv from the hash-pinned lock files; later calls skip that until a lock changes.
# It needs python3 (3.11 or later), make and git, nothing else.

PYTHON ?= python3
UV ?= uv
VENV := .venv
BIN := $(VENV)/bin
PEERS_VENV := .venv-peers
NOMENKLATURA_VENV := .venv-nomenklatura
DOCS_VENV := .venv-docs
PLOTLY := sbir_gate/pages/plotly
# compiling every module of every dependency takes as long as the rest of the set-up, and few are used
PIP_OPTIONS := --quiet --disable-pip-version-check --no-input
PIP_INSTALL := $(BIN)/python -m pip install $(PIP_OPTIONS) --no-compile
# a worker that has no tests left takes over some of another's
PYTEST := $(BIN)/pytest -n auto --dist worksteal
# what to measure: make peers PEERS="--awards 220000 --recipients 3400000 --seed 7 --data full --output full.json"
PEERS ?=

# hundreds of tests start the program: it and they are compiled once
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test slow nightly check coverage lint docs fixtures golden pictures plotly peers nomenklatura lock clean

help: ## list the targets
	@grep -E '^[a-z]+:.* ## ' Makefile | sed -E 's/^([a-z]+):.* ## /\1\t/' | expand -t 12

run: $(VENV)/run.stamp ## measure the enrichment on the fixtures, compare with the baseline, say the verdict
	$(BIN)/sbir-gate run

test: $(VENV)/dev.stamp ## run the fast tests
	$(PYTEST)

slow: $(VENV)/dev.stamp ## run the slow tests, and the tests of laws with more examples
	$(PYTEST) --hypothesis-profile=more -m "(slow or hypothesis) and not nightly and not timed"
	# nothing else may run beside what is timed
	$(BIN)/pytest -m "timed and not nightly"

nightly: $(VENV)/dev.stamp ## run the tests that take too long for every change, and those of laws with most examples
	$(PYTEST) --hypothesis-profile=full -m "nightly or hypothesis"

check: lint test ## run the linters and the fast tests

coverage: $(VENV)/dev.stamp ## run the fast tests and list the lines that none of them reaches
	$(PYTEST) --cov --cov-report=term:skip-covered

lint: $(VENV)/dev.stamp ## check style, types, floors and workflows
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/zizmor --quiet --offline --persona auditor action.yml .github/workflows
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/actionlint
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/shellcheck .ci/run

docs: $(DOCS_VENV)/stamp ## build the documentation as a site in site/, any warning fails
	$(DOCS_VENV)/bin/sphinx-build --quiet --fail-on-warning --fresh-env docs site

fixtures: $(VENV)/run.stamp ## regenerate the fixtures from their seed
	$(BIN)/sbir-gate data synthesise --awards 1000 --recipients 25000 --seed 1 --sample --output fixtures

golden: $(VENV)/dev.stamp ## write the golden files again; look at the difference before you commit it
	$(BIN)/pytest --update-golden
	$(BIN)/python -m tests.messages_page
	$(BIN)/python -m tests.document_schemas

pictures: $(VENV)/dev.stamp ## draw the pictures of the pages again (needs chromium); MERMAID=mermaid.min.js for trends
	$(BIN)/python -m tests.pictures.make $(if $(MERMAID),--mermaid $(MERMAID))

plotly: ## bring the drawing library of the pages to VERSION (needs npm): make plotly VERSION=4.1.1
	set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	npm pack --silent --pack-destination "$$folder" plotly.js-basic-dist-min@$(VERSION); \
	tar -xzf "$$folder"/*.tgz -C "$$folder"; \
	cp "$$folder/package/plotly-basic.min.js" "$$folder/package/LICENSE" $(PLOTLY)/; \
	cd $(PLOTLY); { echo "plotly.js-basic-dist-min $(VERSION)"; sha256sum LICENSE plotly-basic.min.js; } > version.txt

peers: $(VENV)/run.stamp $(PEERS_VENV)/stamp ## measure the engine beside its peers; PEERS="--help" lists the options
	$(BIN)/python -m tests.performance.peers $(PEERS)

nomenklatura: $(NOMENKLATURA_VENV)/stamp ## add one more peer (needs a C++ compiler and ICU: sudo apt-get install g++ libicu-dev pkg-config)

lock: ## pin the dependencies of pyproject.toml again, to their newest versions (needs uv)
	$(UV) pip compile pyproject.toml --group build --extra remote $(LOCK_OPTIONS) --output-file requirements.lock
	$(UV) pip compile pyproject.toml --group dev $(LOCK_OPTIONS) --constraint requirements.lock \
		--output-file requirements-dev.lock
	# the same numpy, rapidfuzz and DuckDB as the engine's, so that they do not add to the difference
	sed -nE 's/^((duckdb|numpy|rapidfuzz)==[^\\]*[^\\ ]) *\\$$/\1/p' requirements.lock \
		| $(UV) pip compile --group peers $(LOCK_OPTIONS) --constraint /dev/stdin \
		--output-file requirements-peers.lock
	# beside the packages of the development environment, but for one that is too new for Amazon's own library
	sed -nE '/^python-dateutil==/d;s/^([^ #]+==[^\]*[^\ ]) *\\$$/\1/p' requirements-dev.lock \
		| $(UV) pip compile --group s3-tests $(LOCK_OPTIONS) --constraint /dev/stdin \
		--output-file requirements-s3.lock
	# one peer has an older DuckDB
	sed -nE 's/^((numpy|rapidfuzz)==[^\\]*[^\\ ]) *\\$$/\1/p' requirements.lock \
		| $(UV) pip compile --group nomenklatura $(LOCK_OPTIONS) --constraint /dev/stdin \
		--output-file requirements-nomenklatura.lock
	# what the action makes its environment with
	echo uv | $(UV) pip compile - $(LOCK_OPTIONS) --output-file .github/action/installer.txt
	# what the documentation is built with
	printf 'furo\nmyst-parser\nsphinx\n' | $(UV) pip compile - $(LOCK_OPTIONS) --output-file .github/docs/tools.txt
	# what a release is made and checked with
	printf 'build\neditables\nhatchling\ntwine\ncyclonedx-bom\n' | $(UV) pip compile - $(LOCK_OPTIONS) \
		--constraint requirements.lock --output-file .github/release/tools.txt

# extras stay in the locks: a pip before 23.3 takes a package with an extra for another, unpinned one
LOCK_OPTIONS := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-strip-extras --custom-compile-command "make lock"

clean: ## remove what was made here: the environment, caches and builds; reports stay
	rm -rf $(VENV) $(PEERS_VENV) $(NOMENKLATURA_VENV) $(DOCS_VENV) build dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage
	find sbir_gate tests -type d -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "sbir-gate needs Python 3.11 or later: name one with 'make PYTHON=python3.12 ...'" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "$(PYTHON) cannot make environments: run 'sudo apt-get install python3-venv' first" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.lock pyproject.toml | $(BIN)/python
	$(PIP_INSTALL) --require-hashes --requirement requirements.lock
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/run.stamp
	$(PIP_INSTALL) --require-hashes --requirement requirements-dev.lock
	@touch $@

# compiled, or a peer's first run would be charged for it
$(PEERS_VENV)/stamp: requirements-peers.lock
$(NOMENKLATURA_VENV)/stamp: requirements-nomenklatura.lock
$(PEERS_VENV)/stamp $(NOMENKLATURA_VENV)/stamp: | $(BIN)/python
	$(BIN)/python -m venv --clear $(@D)
	$(@D)/bin/python -m pip install $(PIP_OPTIONS) --require-hashes --requirement $<
	@touch $@

$(DOCS_VENV)/stamp: .github/docs/tools.txt | $(BIN)/python
	$(BIN)/python -m venv --clear $(DOCS_VENV)
	$(DOCS_VENV)/bin/python -m pip install $(PIP_OPTIONS) --require-hashes --requirement .github/docs/tools.txt
	@touch $@

# Everything that developers and CI run; each target installs what it needs first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TESTS ?= tests
PROCESSES ?= 3

.PHONY: install demo up check format test bench openapi requirements clean

install: $(VENV)/installed

# pip installs uv, by hash, and uv the rest: three times faster, and as strict.
$(VENV)/installed: requirements/dev.txt requirements/uv.txt pyproject.toml
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: $(PYTHON) must be Python 3.11 or newer with venv (Debian: apt-get install python3-venv)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/uv.txt
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes --requirement requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: install
	$(BIN)/wharf demo --data-dir var/demo

up: install
	@mkdir -p var
	$(BIN)/wharf up --data-dir var/stack --ready-file var/ready.json

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy schemas service tasks tests benchmarks
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/vulture
	$(BIN)/codespell $$(git ls-files)

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# One process for each tier's files; the acceptance tests share one stack, so they stay in one process.
test: install
	$(BIN)/python -m pytest $(TESTS) --numprocesses $(PROCESSES) --dist loadgroup --cov --cov-report=term:skip-covered

openapi: install
	$(BIN)/flask --app service.app:make_routes openapi write docs/openapi.json

# An hour and more; ratios within one run, written to the RESULTS.md of each.
bench: install
	$(BIN)/python -m benchmarks.api --write
	$(BIN)/python -m benchmarks.columns --write
	$(BIN)/python -m benchmarks.imports --write
	$(BIN)/python -m benchmarks.exports --write

requirements: install
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra embedded --group build pyproject.toml --output-file requirements/runtime.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra embedded --group build --group dev pyproject.toml --output-file requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--group build pyproject.toml --output-file requirements/server.txt
	echo uv | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header - --output-file requirements/uv.txt
	for version in 2.0.1 2.1.20 2.1.43; do \
		echo flexprice==$$version | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --no-header - --output-file tests/acceptance/sdk/flexprice-$$version.txt || exit 1; \
	done
	echo swift==2.38.3 | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --only-binary :all: - --output-file tests/swift/swift-2.38.3.txt
	npm install --prefix tests/acceptance/sdk --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts \
		--no-audit --no-fund
	@# npm notes where to donate; the lock names no host.
	sed -zi 's/,\s*"funding": {[^}]*}//g' tests/acceptance/sdk/package-lock.json

clean:
	rm -rf $(VENV) var build *.egg-info

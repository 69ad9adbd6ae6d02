# make benchmark   run experiment C2; more flags in ARGS, as in ARGS="--preset paper"
# make test        run every check; each is a target of its own, listed below
# make lint, make docs, make bazel, make clean

PYTHON ?= python3
ARGS ?=

BIN := .venv/bin
PYTEST := TF_NUM_INTRAOP_THREADS=1 $(BIN)/python -m pytest --durations=15
BAZEL := PYTHON_BIN_PATH=$(CURDIR)/$(BIN)/python bazel

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export TF_CPP_MIN_LOG_LEVEL ?= 2
export TF_ENABLE_ONEDNN_OPTS ?= 1

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: benchmark test lint ruff format types tests-fast tests-slow tests-jax doctests \
	docs build-files buildifier bazel clean

benchmark: .venv/.installed-benchmarks
	$(BIN)/python -m keras_asymbp.benchmarks --exp C2 $(ARGS)

test: lint types tests-fast tests-slow tests-jax doctests docs build-files buildifier \
	bazel

lint: ruff format

ruff: .venv/.installed-test
	$(BIN)/ruff check .

format: .venv/.installed-test
	$(BIN)/ruff format --check .

types: .venv/.installed-test
	$(BIN)/mypy keras_asymbp

tests-fast: .venv/.installed-test
	$(PYTEST) -n 2 -m "not slow" tests

tests-slow: .venv/.installed-test
	$(PYTEST) -n 2 -m slow tests

# Keras has one backend in a process. These files run on either.
tests-jax: .venv/.installed-test
	KERAS_BACKEND=jax $(PYTEST) -n 2 -m "not slow" tests/backend tests/diagnostics \
		tests/feedbacks \
		tests/layers/test_contract.py tests/test_testing.py \
		$(addprefix tests/benchmarks/training/test_,batches.py device.py draws.py \
		epoch_program.py feeding.py first_weights.py lanes.py)

doctests: .venv/.installed-test
	$(PYTEST) -n 2 --doctest-modules keras_asymbp
	KERAS_BACKEND=jax $(PYTEST) -n 2 --doctest-modules keras_asymbp

docs: .venv/.installed-test
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

build-files: .venv/.installed-test
	$(BIN)/python third_party/bazel/check_build_files.py

buildifier:
	@if ! command -v npx >/dev/null; then echo "skipped: buildifier, for npx is not on PATH"; \
	else set -x; npx -y @bazel/buildifier --mode=check --lint=warn --warnings=-native-py \
		-r BUILD WORKSPACE benchmarks keras_asymbp tests third_party; fi

# Bazel cannot see what pip installed, so its version enters the key of the test cache.
bazel: .venv/.installed-test
	@if ! command -v bazel >/dev/null; then echo "skipped: bazel is not on PATH"; exit; fi; \
	packages=$$($(BIN)/pip freeze --exclude-editable | cksum | cut -d " " -f 1); \
	set -x; $(BAZEL) build --test_env=PACKAGES=$$packages //... && \
	$(BAZEL) test --test_env=PACKAGES=$$packages //...; \
	code=$$?; bazel shutdown; exit $$code

# The test extra contains the benchmarks extra.
.venv/.installed-test: setup.py | $(BIN)/pip
	$(BIN)/python -m pip install -q -e ".[benchmarks,docs,test]"
	@touch .venv/.installed-benchmarks $@

.venv/.installed-benchmarks: setup.py | $(BIN)/pip
	$(BIN)/python -m pip install -q -e ".[benchmarks]"
	@touch $@

# pip comes last: without it a half-made .venv is made again.
$(BIN)/pip:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { echo >&2 \
		"Python 3.11 or later is needed. Name one: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv

# Keeps .venv and the results of the benchmarks.
clean:
	rm -rf build dist site *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path "./.venv/*" -prune -exec rm -rf {} +

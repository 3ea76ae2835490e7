# `make help` lists the targets.

CARGO ?= cargo
PYTHON ?= python3
DEMO ?= gradcert-demo
ORACLE := target/oracle
# The extension finds Python in the process that loads it; said once here, so that no target builds it anew.
export PYO3_BUILD_EXTENSION_MODULE := 1

.DEFAULT_GOAL := help
.PHONY: help reproduce demo test test-python wheel lint test-long test-oracle test-planted bench bench-micro bench-tight bench-accuracy docs

help: ## List the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-14s %s\n", $$1, $$2 }'

demo: ## Certify, train, check and report on the bundled data sets; writes gradcert-demo/.
	$(CARGO) run --release -p gradcert-cli -- demo --out $(DEMO)
	@find $(DEMO) -name report.html | sort | sed 's/^/report: /'

reproduce: ## Figures and tables of the papers; writes gradcert-reproduce/ (half an hour; RESUME=--resume continues).
	$(CARGO) build --release -p gradcert-cli
	for paper in chatterjee2022 du2018 du2019; do target/release/gradcert reproduce $$paper --out gradcert-reproduce/$$paper $(RESUME) || exit; done

test: lint ## What must pass before a merge: formatting, lints, all default tests, documentation.
	$(CARGO) test --workspace
	RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --workspace --no-deps
	$(MAKE) test-python

PYVENV := target/python
PYBIN := $(abspath $(PYVENV))/bin
PYMODULE := python/gradcert/_gradcert.abi3.so

test-python: $(PYVENV)/ready ## The tests of the Python packages, with ruff and pyright; the extension is built with the dev profile.
	$(CARGO) build -p gradcert-python
	cp target/debug/lib_gradcert.so $(PYMODULE).new && mv $(PYMODULE).new $(PYMODULE)
	cd python && $(PYBIN)/ruff format --check . && $(PYBIN)/ruff check .
	cd python && $(PYBIN)/pyright --pythonpath $(PYBIN)/python
	cd python && PYTHONPATH=. $(PYBIN)/python -m pytest

wheel: $(PYVENV)/ready ## The Python package as a wheel for every Python from 3.10 on; writes target/wheels/.
	cd python && $(PYBIN)/maturin build --release -o ../target/wheels

$(PYVENV)/ready: python/requirements-test.txt
	$(PYTHON) -m venv $(PYVENV)
	$(PYBIN)/python -m pip install --quiet -r python/requirements-test.txt
	touch $@

bench-accuracy: wheel ## Test accuracy and time beside scikit-learn on the bundled sets; writes docs/src/python-accuracy.md.
	$(PYBIN)/python -m pip install --quiet --force-reinstall --no-deps target/wheels/gradcert-*.whl
	$(PYBIN)/python bench/accuracy/accuracy.py --markdown docs/src/python-accuracy.md

lint: ## Formatting and clippy, warnings are errors.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

test-long: ## All tests, the long attacks too, optimised (about half an hour).
	$(CARGO) test --workspace --release -- --include-ignored

test-oracle: $(ORACLE)/ready ## Millions of enclosures against Arb (needs Python and the network once).
	$(CARGO) run --release -p gradcert-rigor --no-default-features --example enclosures -- 1000000 > $(ORACLE)/enclosures
	$(ORACLE)/bin/python crates/rigor/tests/oracle/check_enclosures.py < $(ORACLE)/enclosures
	$(CARGO) run --release -p gradcert --example activation_enclosures -- 250000 > $(ORACLE)/activations
	$(ORACLE)/bin/python crates/gradcert/tests/oracle/check_activations.py < $(ORACLE)/activations

$(ORACLE)/ready:
	$(PYTHON) -m venv $(ORACLE)
	$(ORACLE)/bin/python -m pip install --quiet python-flint numpy
	touch $@

test-planted: ## Plants one error at a time in the bounds; a test must notice each (about half an hour).
	$(PYTHON) tests/planted/plant.py

bench-tight: ## How tight the certificates are: certified against observed iterations on the bundled sets.
	$(CARGO) run --release -p gradcert --example bench_tight

bench: target/bench/ready ## Steps, kernels and whole runs beside JAX, NumPy and scikit-learn, in turn; writes docs/src/performance.md.
	$(CARGO) build --release -p gradcert-cli
	target/bench/bin/python bench/peers.py --gradcert target/release/gradcert --markdown docs/src/performance.md
	target/bench/bin/python bench/growth.py --gradcert target/release/gradcert --markdown docs/src/performance.md

bench-micro: ## Micro-benchmarks: enclosures, verified linear algebra, steps, kernels (BENCH=words picks some).
	$(CARGO) bench -p gradcert-rigor --bench verified -- $(BENCH)
	$(CARGO) bench -p gradcert --bench engine -- $(BENCH)

target/bench/ready:
	$(PYTHON) -m venv target/bench
	target/bench/bin/python -m pip install --quiet numpy scipy scikit-learn jax safetensors
	touch $@

docs: ## The book (if mdbook is installed) and the API documentation.
	@if command -v mdbook > /dev/null; then mdbook build docs && echo "book: target/book/index.html"; \
	else echo "mdbook is not installed (cargo install mdbook): read docs/src/*.md as they are"; fi
	RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --workspace --no-deps

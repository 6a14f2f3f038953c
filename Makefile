# Every target works on a fresh checkout and repeats cheaply. `make help` lists them.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
STAMP   = $(VENV)/.installed
CORE    = webhook/admission/*,webhook/policy/*,webhook/placement/*,webhook/eni/*,webhook/patch.py,webhook/findings.py,webhook/owners.py,webhook/workloads.py

CORE_ONLY = $(addprefix --ignore=tests/,cluster image browser bench)

.DEFAULT_GOAL := help
.PHONY: docs help venv test test-core thorough test-versions coverage check lint types borders tools browser image playground demo serve bench lock

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

venv: $(STAMP) ## .venv with the project and its tools, hash-locked

$(STAMP): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

lint: venv ## ruff, formatting included
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: venv ## mypy, strict
	$(BIN)/mypy

borders: venv ## import-linter: the arrows of docs/architecture.md
	$(BIN)/lint-imports

check: lint types borders test ## everything that must be green before a change lands

test: venv $(if $(filter true,$(CI)),tools browser image) ## all tests; what needs the control plane says so where `make tools` has not run
	@$(BIN)/python -m tests

test-core: venv ## the tests without a control plane, the image, a browser and benchmarks
	@$(BIN)/python -m tests $(CORE_ONLY)

thorough: venv tools ## all tests, ten times as many generated cases
	@THOROUGH=1 $(BIN)/python -m tests

test-versions: venv tools ## what the API server decides, on Kubernetes 1.33 to 1.36 (builds each once)
	@$(BIN)/python -m tests.cluster.versions $(VERSIONS)

coverage: venv ## branch coverage of the core, at least 95 %
	$(BIN)/coverage run -m pytest -q --ignore tests/cluster
	$(BIN)/coverage report --include '$(CORE)' --fail-under 95

browser: venv ## install chromium for the tests of the HTML report (Debian's package, as root)
	@$(BIN)/python -m tests.browser

tools: venv ## build etcd, kube-apiserver, ..., kwok and helm once; prints their folder last
	@$(BIN)/python -m tests.cluster.controlplane

image: venv ## build the image without a registry (root, Debian); prints its archive and its unpacked files
	@$(BIN)/python -m tests.image

playground: venv tools ## a real control plane with the guard installed, to try things on
	@$(BIN)/python -m tests.cluster.playground

demo: venv ## the main job on real manifests; on yours, by the catalogue alone in network bgp: make demo FILES="a.yaml b.yaml"
	@$(BIN)/python -m examples.demo $(FILES)

serve: venv ## the webhook on 127.0.0.1:8443, self-signed, network bgp
	@$(BIN)/hybrid-guard serve --dev

bench: venv ## reviews per second beside others (writes docs/benchmarks.md), and what audits cost
	@$(BIN)/python -m tests.bench --write
	@$(BIN)/python -m tests.bench.audits

docs: venv ## write docs/rules.md, the chart's README, schema and safety net from their sources
	@$(BIN)/python -m tests.chart_readme
	@$(BIN)/python -m tests.chart_schema
	@$(BIN)/python -m tests.chart_safety_net
	@$(BIN)/python -c "from webhook.audit import rulebook; print(rulebook.text(), end='')" > docs/rules.md

lock: ## resolve the dependencies again and write the hash locks (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 -o requirements/run.txt pyproject.toml
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 -c requirements/run.txt --group dev pyproject.toml -o requirements/dev.txt
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 -c requirements/dev.txt --group build -o requirements/build.txt

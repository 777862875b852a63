# The targets are an interface (docs/architecture.md); `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
GO ?= go

.DEFAULT_GOAL := help

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(VENV)/.runtime: requirements/run.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

.PHONY: install
install: $(VENV)/.runtime ## the environment in .venv, the command line at .venv/bin/portreeve

.PHONY: install-dev
install-dev: $(VENV)/.dev ## the same with what checks and tests need

.PHONY: lock
lock: $(VENV)/.dev ## pin what requirements/*.in and pyproject.toml ask for
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --upgrade -o requirements/run.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --upgrade -o requirements/build.txt requirements/build.in
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --upgrade -o requirements/dev.txt requirements/dev.in

.PHONY: run
run: install ## start the service with the example organisation's bundle
	@cat examples/try.txt
	@exec $(BIN)/portreeve serve --bundle example

.PHONY: format
format: $(VENV)/.dev ## rewrite Python and Rego in the project's form
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .
	@if [ -x .tools/bin/opa ]; then .tools/bin/opa fmt --write policies; fi

.PHONY: check
check: $(VENV)/.dev ## lint, types, imports, Rego, generated files, coverage
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m service.bundle.schemas --check
	$(BIN)/python -m service.report.rules --check
	$(BIN)/python -m service.report.settings --check
	$(BIN)/python -m service.install.shipped --check
	@if [ -x .tools/bin/opa ]; then $(MAKE) --no-print-directory check-rego; \
	else echo "skipped: opa fmt, check and test need the real OPA (make tools)"; fi
	@$(MAKE) --no-print-directory coverage

.PHONY: check-rego
check-rego:
	@unformatted=$$(.tools/bin/opa fmt --list policies); \
	if [ -n "$$unformatted" ]; then echo "not formatted (make format): $$unformatted"; exit 1; fi
	.tools/bin/opa check --strict --schema policies/schemas policies
	.tools/bin/opa test --coverage --threshold 100 policies/lib policies/rules > /dev/null || \
	{ .tools/bin/opa test policies/lib policies/rules; exit 1; }

# Files of tests that share no server and no folder are spread over the processors.
WITHOUT_SERVERS := tests/unit tests/contract
SPREAD := --numprocesses=auto --dist=loadfile

.PHONY: test
test: $(VENV)/.dev ## everything that can run here; says what it skipped and why
	$(BIN)/pytest $(SPREAD) $(WITHOUT_SERVERS) tests/policies
	$(BIN)/pytest tests/system tests/terraform

.PHONY: coverage
coverage: $(VENV)/.dev ## what the tests that need no server reach, and whether it is enough
	@$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --quiet --no-header $(SPREAD) $(WITHOUT_SERVERS)
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

TOOLS := opa conftest kube-apiserver helm

.PHONY: tools
tools: $(TOOLS:%=.tools/bin/%) ## build the real peers of the system tests into .tools/bin

# The version that kube-apiserver tells its clients is set by the linker, not by the module.
KUBERNETES_VERSION = $(shell sed -n 's/.*k8s.io\/kubernetes \(v[0-9.]*\).*/\1/p' tests/tools/kube-apiserver/go.mod)
.tools/bin/kube-apiserver: LINK = -X k8s.io/component-base/version.gitVersion=$(KUBERNETES_VERSION) -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=$(word 2,$(subst ., ,$(KUBERNETES_VERSION)))

.tools/bin/%: tests/tools/%/go.mod tests/tools/%/go.sum
	@mkdir -p .tools/bin
	cd tests/tools/$* && $(GO) build -trimpath -ldflags '-s -w $(LINK)' -o $(CURDIR)/$@ "$$(sed -n 's/^tool //p' go.mod)"

.PHONY: bench
bench: $(VENV)/.dev ## compare with the peers, as ratios
	$(BIN)/python -m benchmarks

.PHONY: clean
clean: ## remove what was made, but for the tools
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

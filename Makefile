# Huike: `make help` says what there is. Nothing here needs an AWS account, Docker or Node.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
STAGE ?= dev
ARGS ?=
# Tests run beside one another, a file at a time; one worker (WORKERS=0) is easier to watch.
WORKERS ?= 2
# Everything is written inside the project, so a machine whose home cannot be written to works as well.
export PIP_CACHE_DIR := $(CURDIR)/.local/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.PHONY: help run test check fix bench package clean lock openapi replay rebuild audit retier drill huike-verify simulate mutants backtest score deploy destroy verify-aws cost

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Huike needs Python 3.11 or newer; this is %s. Try: make PYTHON=python3.12 run" % sys.version.split()[0])'
	@echo "Building the virtual environment in $(VENV) (once, a minute or two) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --require-hashes -r requirements-dev.txt
	@touch $@

run: $(READY) ## Build, deploy to a local AWS, bring in real purchases and serve the API (ARGS="--no-seed --port 8090 --keep DIR")
	@exec $(BIN)/python -m infra.local $(ARGS)

test: check ## Check everything, then run every test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: $(READY) ## Lint, types, architecture, API document
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m infra.openapi --check

fix: $(READY) ## Format and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: $(READY) ## Write docs/openapi.json anew
	$(BIN)/python -m infra.openapi

replay: $(READY) ## Send the ledger's facts since a day to its readers again (SINCE=2026-11-20, ARGS="--stack NAME")
	$(BIN)/python -m infra.replay --since $(SINCE) $(ARGS)

rebuild: $(READY) ## Make the accounts view anew from the ledger (ARGS="--stack NAME")
	$(BIN)/python -m infra.rebuild $(ARGS)

audit: $(READY) ## Audit every chain, every record and the view (ARGS="--stack NAME")
	$(BIN)/python -m infra.audit $(ARGS)

retier: $(READY) ## Write down everybody's tier by the programme in force (ARGS="--preview --version 3 --stack NAME")
	$(BIN)/python -m infra.retier $(ARGS)

drill: $(READY) ## Rehearse a restore on a local AWS: export, import, damage, rebuild, audit
	$(BIN)/python -m infra.drill

huike-verify: $(READY) ## Check a downloaded chain offline (ARGS=chain.json)
	$(BIN)/python -m infra.verify $(ARGS)

simulate: $(READY) ## Races by seed, with faults at every call (SEEDS=10000)
	$(BIN)/python -m tests.proof.simulate --seeds $(or $(SEEDS),1000) $(ARGS)

mutants: $(READY) ## Plant faults in a copy of the engine and see that each is found
	$(BIN)/python -m tests.proof.mutants $(ARGS)

backtest: $(READY) ## What a programme would have done to recorded purchases (PROGRAMME=candidate.json TODAY=today.json PURCHASES=orders.csv)
	@test -n "$(PROGRAMME)" || { echo "Say which one: make backtest PROGRAMME=candidate.json" >&2; exit 2; }
	@$(BIN)/python -m infra.backtest --programme "$(PROGRAMME)" $(if $(TODAY),--today "$(TODAY)") $(if $(PURCHASES),--purchases "$(PURCHASES)") $(ARGS)

score: $(READY) ## Score a file of purchases (DATA=orders.csv MODEL=mbg-nbd|bg-nbd UNTIL=2026-11-22 OUT=dir, ARGS="--margin 0.4 --surveys FILE")
	@test -n "$(DATA)" || { echo "Say which purchases: make score DATA=orders.csv (columns customer_id,date,amount)" >&2; exit 2; }
	@$(BIN)/python -m infra.score --data "$(DATA)" $(if $(MODEL),--model "$(MODEL)") $(if $(UNTIL),--until "$(UNTIL)") $(if $(OUT),--out "$(OUT)") $(ARGS)

bench: $(READY) ## Measure and print tables
	$(BIN)/python -m benchmarks $(ARGS)

deploy: $(READY) ## Package, show the changes, ask, deploy and try a stage (STAGE=dev, YES=1, ARGS="--parameter NAME=VALUE")
	$(BIN)/python -m infra.deploy --stage $(STAGE) $(if $(filter 1,$(YES)),--yes) $(ARGS)

destroy: $(READY) ## Remove a stage; with data in it only if FORCE names it (STAGE=trial FORCE=trial)
	@test "$(origin STAGE)" != file || { echo "Say which one: make destroy STAGE=…" >&2; exit 2; }
	$(BIN)/python -m infra.destroy --stage $(STAGE) $(if $(FORCE),--force $(FORCE)) $(ARGS)

verify-aws: $(READY) ## Check on a real account what no emulator shows: billing, races, tokens (STAGE=dev)
	$(BIN)/python -m infra.verify_aws --stage $(STAGE) $(ARGS)

cost: $(READY) ## What an installation costs a month (MEMBERS=1000000 ORDERS=1000000)
	$(BIN)/python -m infra.cost $(if $(MEMBERS),--members $(MEMBERS)) $(if $(ORDERS),--orders $(ORDERS)) $(ARGS)

package: $(READY) ## Build the deployment package (STAGE=dev)
	$(BIN)/python -m infra.package --stage $(STAGE) $(ARGS)

lock: ## Resolve requirements*.in anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements.in -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements-scoring.in -o requirements-scoring.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements-dev.in -o requirements-dev.txt

.PHONY: advisories
advisories: $(READY) ## Ask PyPI whether an advisory stands against what ships (needs the network)
	@test -x .local/advisories/bin/pip-audit || ($(PYTHON) -m venv .local/advisories && .local/advisories/bin/python -m pip install -qq pip-audit==2.10.1)
	.local/advisories/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.txt -r requirements-scoring.txt

clean: ## Remove everything that was built
	rm -rf $(VENV) build .local .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .chalice/deployments

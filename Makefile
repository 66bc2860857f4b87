# Everything starts here; `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

EVENTS ?= 20000
SEED ?= 1
SCALE ?= 1
SECONDS ?= 60
READS ?= 10000
# of pytest; each that tests on a sandbox starts its own, of up to 4 GB
WORKERS ?= 2
# of those without a sandbox, many of which wait for a clock or a broker most of their time
WAITING_WORKERS ?= 3
VERSITYGW := v1.8.0
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

.PHONY: help setup demo down test test-faults test-spark35 test-hive test-trino test-adapter soak soak-lake lint lint-python lint-models format unit integration real versitygw bench-ingest bench-audit bench-hour-log bench-lake bench-metastore bench-dbt clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make .venv and fetch the jars; the other targets call it
	@bin/setup

demo: setup ## The main job, from log files to Redshift marts (EVENTS=20000 SEED=1)
	@datacore demo --events $(EVENTS) --seed $(SEED)

down: setup ## End the sandbox and discard its data
	@datacore sandbox down

test: lint ## What CI runs: lint, then all tests, on sandboxes of their own (WORKERS=2)
	pytest -n $(WAITING_WORKERS) tests/unit tests/model tests/faults
	pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder tests/real tests/integration

test-faults: setup ## kill -9, faulty S3 and Glue, broker restarts, zombies: every step of tail and land
	pytest -n $(WAITING_WORKERS) tests/faults

# dynamic overwrite: Spark 3.5 refuses it with S3A's committers; a seed: Hive renames its files, and Hadoop 3.3's
# S3A copies no encrypted object over the sandbox's plain HTTP
test-spark35: setup ## The tests of the lake and the metastore on Spark 3.5, as EMR 7 has it
	python tests/spark35/environment.py run pytest tests/integration/lake tests/integration/metastore \
		--deselect tests/integration/metastore/test_metastore_spark.py::test_dynamic_overwrite_replaces_only_its_days \
		--deselect tests/integration/lake/test_swap_partitions.py::test_what_dbt_spark_makes_again_holds_nothing_of_before

test-adapter: setup ## dbt's functional tests of an adapter with this project's macros, on Parquet
	python tests/adapter/run_suite.py

test-hive: setup ## The whole way with a Hive Metastore in Glue's place (fetches 160 jars, 100 MB)
	pytest tests/hive

test-trino: setup ## Trino with its own Glue client reads what Spark reads (fetches 450 MB)
	pytest tests/trino

soak: setup ## Kill and pause tails and landers at random (SECONDS=60 SEED=1), then compare every line
	python tests/faults/soak.py --seconds $(SECONDS) --seed $(SEED)

soak-lake: setup ## Builds, rollbacks, kills and vacuum until a reader has asked so often (READS=10000)
	READS=$(READS) pytest -rP --timeout 7200 tests/integration/lake/test_publication.py

lint: setup ## ruff, mypy --strict, contracts and their sources, dbt parse, sqlfluff
	@$(MAKE) --no-print-directory --jobs 2 --output-sync lint-python lint-models

lint-python:
	ruff check .
	ruff format --check .
	mypy
	datacore type check
	datacore type sources --check

lint-models:
	dbt --quiet parse --warn-error --target-path $(CURDIR)/.cache/dbt/lake --log-path $(CURDIR)/.cache/dbt/lake
	dbt --quiet parse --warn-error --project-dir dbt_project/warehouse --target-path $(CURDIR)/.cache/dbt/warehouse --log-path $(CURDIR)/.cache/dbt/warehouse
	sqlfluff lint --disable-progress-bar dbt_project/lake tests/lake
	cd dbt_project/warehouse && sqlfluff lint --disable-progress-bar models ../../tests/warehouse

format: setup ## Let ruff rewrite the Python
	ruff check --fix .
	ruff format .

unit: setup ## Tests that need no server
	pytest -n $(WAITING_WORKERS) tests/unit tests/model

integration: setup ## Tests on the sandbox
	pytest tests/integration

real: setup ## Tests on the real data sets, where they are
	pytest tests/real

versitygw: ## Build the second S3 server of the tests, with Go; without it they are skipped
	@command -v go >/dev/null || { echo "error: go is not here; install Go 1.25 or newer, then run make versitygw again" >&2; exit 2; }
	GOBIN=$(CURDIR)/.cache/bin go install github.com/versity/versitygw/cmd/versitygw@$(VERSITYGW)

bench-ingest: setup ## The lander against Spark, naive loops and bare readers (SCALE=1: an hour; needs 4 GB)
	@python -m benchmarks.ingest --scale $(SCALE)

bench-audit: setup ## The audit of 10,000 objects against fetching them
	@python -m benchmarks.audit

bench-hour-log: setup ## What changed since entry N, with little history and with a year of it
	@python -m benchmarks.hour_log

bench-lake: setup ## What a build of one day's news costs on 1, 10 and 100 days of history, against stock dbt-spark
	@python -m benchmarks.lake

bench-metastore: setup ## 10,000 partitions, a pruned plan and Glue 30 ms away, against boto3
	@python -m benchmarks.metastore

bench-dbt: setup ## What dbt adds to the SQL of 40 models, and Glue 30 ms away to a build of 20
	@python -m benchmarks.dbt

clean: ## Remove environment, caches and targets (not a running sandbox: `make down`)
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis target logs dbt_project/warehouse/target dbt_project/warehouse/logs

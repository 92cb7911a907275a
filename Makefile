# Thin on purpose: what the targets do stands in tools/. Another Python: make PYTHON=python3.13 demo
PYTHON ?= python3
ARGS ?=
RUN = .venv/bin/python

.PHONY: help setup demo test run check lint format types docs packages clean-machine

help:            ## This list
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup:           ## Virtual environment, speech models, database (safe to repeat)
	@$(PYTHON) -m tools.setup

demo:            ## Set up, then run with simulated live calls (ARGS="--calls 5"); Ctrl-C ends it
	@$(PYTHON) -m tools.setup --for demo
	@exec $(RUN) manage.py demo $(ARGS)

test:            ## Set up, install Debian packages for the tests, run every check and test
	@$(PYTHON) -m tools.setup --for test
	@$(PYTHON) -m tools.packages --install
	@$(PYTHON) -m tools.check $(ARGS)

run: setup       ## Set up and serve (ARGS="--port 8000")
	@exec $(RUN) manage.py serve $(ARGS)

lint:            ## Rules and format
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check .

format:          ## Apply the format
	@$(RUN) -m ruff check --fix . ; $(RUN) -m ruff format .

types:           ## Strict typing
	@$(RUN) -m mypy .

check:           ## Django's own checks
	@$(RUN) manage.py check

docs:            ## Do the documents tell every setting, command and message
	@$(RUN) -m pytest -q tests/test_docs.py

packages:        ## Which Debian packages the tests still need
	@$(PYTHON) -m tools.packages

clean-machine:   ## Both commands on a bare Debian made by debootstrap (root; outside make test)
	@$(PYTHON) -m tools.clean_machine $(ARGS)

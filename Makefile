# Two commands do all the set-up: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
STAMP_TEST := $(VENV)/.installed-test
# Many tests wait for time to pass: more of them at once than there are cores.
PYTEST := $(BIN)/pytest -n 3 --dist worksteal

.PHONY: demo test test-training lint types contracts unit campaign again campaign-long elsewhere coverage translations media wheel kill-test notebook study hour bench sample snapshots clean help docs


help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: $(STAMP)  ## Install, then replay the bundled session and write its report
	$(BIN)/affetti demo

test: $(STAMP_TEST) lint types contracts unit  ## Install, then run every check

lint: $(STAMP_TEST)  ## Style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP_TEST)  ## Static types
	$(BIN)/python tests/house.py
	$(BIN)/mypy

contracts: $(STAMP_TEST)  ## Which package may import which
	$(BIN)/python tests/house.py
	cd build/house && ../../$(BIN)/lint-imports --config ../../pyproject.toml

unit: $(STAMP_TEST)  ## Tests, on two cores
	$(PYTEST)

campaign: $(STAMP_TEST)  ## Whole trials: kills, sound cards, terminals, consent withdrawn, networks
	$(PYTEST) -m campaign

again: $(STAMP_TEST)  ## What failed last, one at a time and with nothing beside it
	$(BIN)/pytest -m "" --last-failed --last-failed-no-failures none

elsewhere: $(STAMP_TEST)  ## The tests without what only Unix has, with a stand-in for locks of Windows
	PYTHONPATH=$(CURDIR)/tests/elsewhere $(PYTEST)

campaign-long: $(STAMP_TEST)  ## Trials by the thousand, for hours; SHARE=0.1: a tenth; ONLY=power
	$(BIN)/python -m tests.campaign --share $(or $(SHARE),1) --only '$(ONLY)'

coverage: $(STAMP_TEST)  ## Tests and campaign, and the lines that none runs; SINCE=TAG: of the changed
	$(PYTEST) -m "not kill50" --cov --cov-report=term:skip-covered
	$(if $(SINCE),$(BIN)/python -m tests.changed $(SINCE))

translations: $(STAMP_TEST)  ## Bring the catalogues up to the English; LANGUAGE=fr: begin a new one
	$(BIN)/python -m tests.translations $(LANGUAGE)

media: $(STAMP_TEST)  ## Films and tracks of every kind that ffmpeg makes, against ffprobe and ffmpeg
	$(BIN)/python -m tests.media

docs: $(STAMP_TEST)  ## Build the manual: runs every command line in it; needs no network
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[docs]"
	$(BIN)/python -m tests.manual

wheel: $(STAMP_TEST)  ## Build the wheel, install it elsewhere and use it; FRESH=1: with all it needs
	$(BIN)/python -m tests.wheel $(if $(FRESH),--fresh)

test-training: $(STAMP_TEST)  ## Tests of training the face network; installs PyTorch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test,train]"
	$(BIN)/pytest tests/models

kill-test: $(STAMP_TEST)  ## Fifty recordings killed at random moments
	$(BIN)/pytest -m kill50 -s tests/recorder/test_kill.py

notebook: $(STAMP)  ## Run the example notebook: a folder of sessions, a figure, a mixed model
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[notebook]" pytest
	mkdir -p build/notebooks
	$(BIN)/python -m jupytext --quiet --to ipynb --output build/notebooks/study.ipynb notebooks/study.py
	$(BIN)/python -m pytest -q -o addopts= -o timeout=0 -o filterwarnings= \
		--nbmake --overwrite --nbmake-timeout=3600 build/notebooks/study.ipynb
	@echo "build/notebooks/study.ipynb is the notebook with its results."

study: $(STAMP_TEST)  ## Hundreds of sessions in one go, stopped and killed between; SESSIONS=400
	$(BIN)/python -m tests.study_trial $(or $(SESSIONS),400)

hour: $(STAMP_TEST)  ## What each command takes of an hour: processor, time, memory; MINUTES=60
	$(BIN)/python -m tests.hour_trial $(or $(MINUTES),60)

bench: $(STAMP_TEST)  ## Measure; make bench OLD=PATH measures beside an older checkout
	$(BIN)/python -m $(if $(OLD),tests.bench_trees $(OLD),tests.bench)

sample: $(STAMP_TEST)  ## Record the bundled session again: make sample VIDEO=face.mp4
	$(BIN)/python -m affetti.sample_sessions.record $(VIDEO)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(BIN)/python pyproject.toml setup.py constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(STAMP_TEST): $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test]"
	touch $@

clean:  ## Remove what the other targets made
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache

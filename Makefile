# volact: every command a contributor needs.  `make` alone lists them.
# Only this file, the lab and the tests are POSIX; volact itself is not.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready
# A demo needs no tool of the tests, of which some cannot be had everywhere (Alpine).
DEMO   := $(if $(wildcard $(STAMP)),$(STAMP),$(VENV)/.demo)
JOBS   ?= 6

# Where it is set, pytest would rewrite the assertions of all its plugins in each process anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
# Never two installations at once in one environment.
.NOTPARALLEL:
.PHONY: help setup demo serve-demo test prove lint format words bench bench-quick chaos accuracy dist docs clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with everything that demo, test and lint need

# The stamp is written last, so an interrupted setup is done again.
$(STAMP): EXTRAS := dev
$(VENV)/.demo: EXTRAS := lab,service
$(STAMP) $(VENV)/.demo: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "volact needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "installing into $(VENV) ..."
	@# The pip of an older Python takes half a minute longer for the same.
	@PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --editable '.[$(EXTRAS)]'
	@touch $@

demo: $(DEMO) ## activate a simulated fleet of 60 servers over real SSH, write volact-demo.html
	@code=0; $(BIN)/volact demo || code=$$?; \
	case $$code in \
	  0) ;; \
	  3|4) echo "(exit code $$code is the demo's own: some of its servers cannot be mended, and it says which)" ;; \
	  *) exit $$code ;; \
	esac; echo "(volact is $(BIN)/volact here)"

serve-demo: $(DEMO) ## console, API and a worker over a simulated fleet, at http://127.0.0.1:8088
	@$(BIN)/volact serve --demo

test: $(STAMP) ## run every test (those on Wine too, where wine and sshd are installed)
	@$(BIN)/pytest -q -n $(JOBS) --dist loadgroup --no-loadscope-reorder -p no:randomly

prove: $(STAMP) ## 20 complete runs of the tests in a row: plain, on busy cores, in random orders
	@$(BIN)/python bench/suite_proof.py --jobs $(JOBS)

lint: $(STAMP) ## ruff, mypy --strict, import direction, the agent's language
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tests/agent/es3.py

format: $(STAMP) ## let ruff mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

words: $(STAMP) ## bring new sentences into the catalogues of every language
	@$(BIN)/python tests/words/gather.py

bench: $(STAMP) ## volact beside pyinfra, Ansible and others on one lab: 100, 1,000, 10,000 servers
	@$(BIN)/python bench/run.py

bench-quick: $(STAMP) ## the same with a few servers, to see that everything runs
	@$(BIN)/python bench/run.py --quick

chaos: $(STAMP) ## faults at every stage, outages, 160 kills, 1,000,000 odd inputs: about half an hour
	@$(BIN)/python bench/chaos/chaos_run.py

accuracy: $(STAMP) ## how often diagnosis and plans are right, over the cases of tests/cases
	@$(BIN)/python bench/accuracy.py

dist: $(STAMP) ## wheel, sdist, single file, scripts, bill of materials, checksums into dist/
	@$(BIN)/python release/make_dist.py

docs: $(STAMP) ## the documentation as a site, in dist-site/
	@$(BIN)/python release/make_site.py

clean: ## remove what setup and the tests made
	rm -rf $(VENV) .venv-bench .venv-chaos .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist dist-site
	find bench release src tests -name __pycache__ -prune -exec rm -rf {} +

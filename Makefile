PYTHON ?= python3
export PORT ?= 8000
export VAR_DIR ?= $(CURDIR)/var
PY := .venv/bin/python
# What a deployment sets: "check --deploy" on a developer's defaults would have nothing to say that matters.
DEPLOYED := HTTPS=on ALLOWED_HOSTS=meetings.example.com SECRET_KEY=only-for-make-check-0123456789-abcdefghijklmnopqrstuvwxyz \
	DATABASE_URL=postgres://user:password@db.example.com/meetings EMAIL_URL=smtp+tls://user:password@mail.example.com:587 \
	MEETINGS_MESSAGE_ID_DOMAIN=meetings.example.com MEETINGS_ENVELOPE_FROM=bounces@example.com
.PHONY: help run worker beat test check fmt bench chaos interop figures
help:  ## these lines
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile
run: export MEETINGS_LOOPBACK_WITHOUT_KEY ?= true
run: .venv/run.stamp  ## serve on 127.0.0.1:$PORT (8000) and deliver in the background; also: VAR_DIR, DATABASE_URL, EMAIL_URL
	@exec $(PY) -m meeting_server.run
worker: .venv/run.stamp  ## where CELERY_BROKER_URL is set: deliver in the background; as many as you like
beat: .venv/run.stamp  ## where CELERY_BROKER_URL is set: look for what waits every 5 s; one in all
worker beat:
	@exec $(PY) -m celery -A meeting_server $@ --loglevel INFO

test: check  ## everything that must be green: check, then the tests with coverage
	@$(PY) -m pytest -n 2 --cov

check: .venv/test.stamp  ## style, types, imports, migrations, settings of a deployment
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) .venv/bin/lint-imports
	@$(PY) manage.py makemigrations --check --dry-run
	@$(DEPLOYED) $(PY) manage.py check --deploy --fail-level WARNING
bench: .venv/test.stamp ; @$(PY) -m tests.bench  ## how long things take
chaos: .venv/test.stamp ; @$(PY) -m tests.chaos  ## kill everything while four programs call, and count the mails; also: SEED, CHAOS=long
interop: .venv/test.stamp ; @$(PY) -m tests.interop  ## every time zone through other programs; writes docs/interop-results.md
figures: .venv/test.stamp ; @$(PY) -m tests.figures  ## how long and how well commented the code is; fails past a limit
fmt: .venv/test.stamp  ## format, and mend what can be mended
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .
.venv/run.stamp: requirements.txt
.venv/test.stamp: requirements-dev.txt requirements.txt
.venv/%.stamp:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer, please: make PYTHON=..." if sys.version_info < (3, 11) else 0)'
	@test -x .venv/bin/pip || $(PYTHON) -m venv .venv
	@echo "Installing $<"
	@$(PY) -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

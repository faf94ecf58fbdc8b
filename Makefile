PYTHON ?= python3
export PORT ?= 8000
export VAR_DIR ?= $(CURDIR)/var
PY := .venv/bin/python
# "check --deploy" looks at these, because it refuses the defaults of a developer's machine.
DEPLOYED := HTTPS=on ALLOWED_HOSTS=meetings.example.com \
	SECRET_KEY=only-for-make-check-0123456789-abcdefghijklmnopqrstuvwxyz \
	DATABASE_URL=postgres://user:password@db.example.com/meetings \
	EMAIL_URL=smtp+tls://user:password@mail.example.com:587 \
	MEETINGS_MESSAGE_ID_DOMAIN=meetings.example.com MEETINGS_ENVELOPE_FROM=bounces@example.com \
	MEETINGS_EHLO_NAME=meetings.example.com
.PHONY: help run worker beat test test-pgbouncer check fmt bench chaos interop figures
help:  ## print this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile
run: export MEETINGS_LOOPBACK_WITHOUT_KEY ?= true
run: .venv/run.stamp  ## serve on this machine; settings: PORT, VAR_DIR, DATABASE_URL, EMAIL_URL
	@exec $(PY) -m meeting_server.run
worker: .venv/run.stamp  ## with RabbitMQ (CELERY_BROKER_URL): send mail; start any number
beat: .venv/run.stamp  ## with RabbitMQ: look for pending mail every 5 seconds; start exactly one
worker beat:
	@test -n "$$CELERY_BROKER_URL" || \
		{ echo "Set CELERY_BROKER_URL, such as amqp://user:password@mq.example.com, or run deliver_mail."; exit 1; }
	@exec $(PY) -m celery -A meeting_server $@ --loglevel INFO

test: check  ## run the checks, then all tests with coverage
	@$(PY) -m pytest -n 2 --cov
test-pgbouncer: .venv/test.stamp  ## run the tests that reach PostgreSQL by a wire through PgBouncer
	@$(PY) -m tests.wire

check: .venv/test.stamp  ## check style, types, imports, figures, migrations and a deployment's settings
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) .venv/bin/lint-imports
	@$(PY) -m tests.figures
# A fresh checkout has no database, and nothing here needs one.
	@$(PY) -W "ignore:Got an error checking" manage.py makemigrations --check --dry-run
	@$(DEPLOYED) $(PY) manage.py check --deploy --fail-level WARNING
bench: .venv/test.stamp  ## measure how long things take; settings: BENCH
	@$(PY) -m tests.bench
chaos: .venv/test.stamp  ## kill processes during calls and count mails; settings: SEED, CHAOS=long
	@$(PY) -m tests.chaos
interop: .venv/test.stamp  ## compare time zones with other programs; writes docs/interop-results.md
	@$(PY) -m tests.interop
figures: .venv/test.stamp  ## count lines and comments of the code; fails past a limit
	@$(PY) -m tests.figures
fmt: .venv/test.stamp  ## format the code and fix what can be fixed
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .
.venv/run.stamp: requirements.txt
.venv/run.stamp: COST := 42 MB to download, 200 MB on disk, about 10 seconds after the download
.venv/test.stamp: requirements-dev.txt requirements.txt
.venv/test.stamp: COST := 129 MB to download, 520 MB on disk, about 30 seconds after the download
.venv/%.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Installing $< into .venv: $(COST). Ctrl-C stops it."
	@test -x .venv/bin/pip || $(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

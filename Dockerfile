# One image for every process: gunicorn by default, manage.py and celery as other commands.
FROM python:3.11-slim-bookworm

# no-log-init: a user with a high number would otherwise make useradd write huge sparse log files
RUN useradd --no-log-init --no-create-home --uid 10001 --shell /usr/sbin/nologin meetings
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --root-user-action=ignore -r requirements.txt
COPY manage.py gunicorn.conf.py ./
COPY meeting_server meeting_server
COPY meetings meetings
# VAR_DIR is the default, /app/var. In the image it holds the static files and nothing else. It can
# stay read-only because SECRET_KEY, DATABASE_URL and EMAIL_URL are given to each container.
# Bytecode is compiled here because a read-only container could not keep it.
RUN SECRET_KEY=only-for-this-build python manage.py collectstatic --no-input --verbosity 0 \
    && python -m compileall -q manage.py gunicorn.conf.py meeting_server meetings

USER 10001:10001
EXPOSE 8000
# A static file is the one page that does not depend on ALLOWED_HOSTS, on an API key or on the
# database. X-Forwarded-Proto prevents the redirect that HTTPS=on would cause. A redirect would look
# at the Host header and log an error for each probe. The other processes listen on no port: they
# turn this check off.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", "import http.client, sys; web = http.client.HTTPConnection('127.0.0.1', 8000, timeout=4); web.request('GET', '/static/admin/css/base.css', headers={'X-Forwarded-Proto': 'https'}); sys.exit(web.getresponse().status != 200)"]
# gunicorn.conf.py listens on the loopback interface, which nobody outside the container can reach.
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "meeting_server.wsgi"]

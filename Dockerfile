# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
WORKDIR /srv/strowger
RUN python -m venv /opt/venv
COPY requirements.lock pyproject.toml README.md ./
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY app app
COPY ml ml
COPY workers workers
COPY supabase supabase
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation -e . \
    && /opt/venv/bin/python -m compileall -q app ml workers \
    && /opt/venv/bin/python -m app.client.typescript

FROM node:20-slim AS dashboard
WORKDIR /srv/dashboard
COPY app/dashboard/package.json app/dashboard/package-lock.json app/dashboard/.npmrc ./
RUN npm ci
COPY app/dashboard ./
COPY --from=build /srv/strowger/app/dashboard/src/api.generated.ts src/
RUN npm run build

FROM python:3.13-slim
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin strowger \
    && install -d -o strowger -g strowger /var/lib/strowger
COPY --from=build /opt/venv /opt/venv
COPY --from=build --chown=root:root /srv/strowger /srv/strowger
COPY --from=dashboard --chown=root:root /srv/dashboard/dist /srv/dashboard
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    STROWGER_LOG=json \
    STROWGER_DATA_DIR=/var/lib/strowger \
    STROWGER_DASHBOARD=/srv/dashboard
WORKDIR /srv/strowger
USER strowger
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
CMD ["strowger", "serve", "--host", "0.0.0.0", "--port", "8000"]

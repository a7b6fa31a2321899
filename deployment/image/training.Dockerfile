# Runs any Kedro pipeline of the project, and MLflow's server, from the whole lock but
# for the tools of development. `make training-image` builds it from the committed files.
ARG BASE_IMAGE=python:3.11-slim

# hadolint ignore=DL3006
FROM ${BASE_IMAGE} AS packages
# The lock is complete, so nothing is resolved here. Some packages hold templates that
# are not Python and do not compile.
COPY deployment/image/requirements.lock /tmp/requirements.lock
RUN python3 -m venv --without-pip /app/.venv && \
    python3 -m pip --python /app/.venv/bin/python install --quiet --no-cache-dir \
        --no-compile --no-deps --only-binary :all: --require-hashes \
        -r /tmp/requirements.lock && \
    rm -rf /app/.venv/lib/python3*/site-packages/pyarrow/include \
        /app/.venv/lib/python3*/site-packages/pyarrow/*flight* && \
    find /app/.venv/lib -type d -name tests -prune -exec rm -rf {} + && \
    (/app/.venv/bin/python -m compileall -q --invalidation-mode unchecked-hash \
        /app/.venv/lib || true)
COPY . /app/project/
WORKDIR /app/project
ARG GIT_REVISION=unknown
RUN python3 -m pip --python /app/.venv/bin/python install --quiet --no-cache-dir \
        --no-deps --no-build-isolation --editable . && \
    rm -rf tests docs notebooks .github .ci && \
    printf '%s\n' "${GIT_REVISION}" > .revision

# hadolint ignore=DL3006
FROM ${BASE_IMAGE}
RUN groupadd --gid 1034 training && \
    useradd --no-log-init --no-create-home --uid 1034 --gid 1034 training && \
    install -d -o training -g training -m 0750 /var/lib/credit_scoring \
        /app/project /app/project/data /app/project/bentos
COPY --from=packages /app/.venv /app/.venv
COPY --from=packages --chown=1034:1034 /app/project /app/project
ENV PATH=/app/.venv/bin:$PATH \
    VIRTUAL_ENV=/app/.venv \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    DO_NOT_TRACK=1 \
    MLFLOW_DISABLE_TELEMETRY=true \
    MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD=false \
    BENTOML_DO_NOT_TRACK=True \
    BENTOML_HOME=/var/lib/credit_scoring/bentoml \
    NUMBA_CACHE_DIR=/var/lib/credit_scoring/kernels \
    CREDIT_SCORING_DECISION_LOG_DIR=/var/lib/credit_scoring/decisions \
    CREDIT_SCORING_OUTCOMES_DIR=/var/lib/credit_scoring/outcomes
WORKDIR /app/project
# What runs make: with these writable, the rest may be read-only.
VOLUME ["/app/project/data", "/app/project/bentos", "/var/lib/credit_scoring"]
USER 1034:1034
ARG GIT_REVISION=unknown
LABEL org.opencontainers.image.title="credit_scoring-training" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.revision="${GIT_REVISION}"
CMD ["kedro", "run"]

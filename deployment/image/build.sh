#!/usr/bin/env bash
# The image of a Bento, with its SBOM beside it.
# usage: build.sh [BENTO_TAG] with PYTHON, BACKEND (docker, podman, buildah), IMAGE, BASE
set -euo pipefail
cd "$(dirname "$0")/../.."

python=$PWD/${PYTHON:-.venv/bin/python}
backend=${BACKEND:-$(for p in docker podman buildah; do
  command -v "$p" >/dev/null && { echo "$p"; break; }; done)}
[ -n "$backend" ] || { echo "none of docker, podman, buildah is installed" >&2; exit 1; }
release=bentos/releases/current.json
if [ $# -gt 0 ]; then
  bento=$1
else
  [ -f "$release" ] || { echo "$release is not there: run \`kedro run\`" >&2; exit 1; }
  bento=$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["bento"])' "$release")
fi
image=${IMAGE:-localhost/$bento}
mkdir -p dist
cp bentos/sbom.cdx.json "dist/$(basename "${image//:/-}").cdx.json"

# Health checks are of Docker's format. BentoML 1.4.36 to 1.4.39 finds a template only
# from a folder that is around its own temporary one (BentoML's issue 5566).
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
options=()
[ -z "${BASE:-}" ] || options+=(--opt "build-arg=BASE_IMAGE=$BASE")
TMPDIR=$work BUILDAH_FORMAT=docker BUILDAH_LAYERS=true BENTOML_DO_NOT_TRACK=True \
  "$python" -m bentoml containerize "$bento" --backend "$backend" \
  --image-tag "$image" ${options[@]+"${options[@]}"} >"$work/log" 2>&1 ||
  { tail -n 30 "$work/log" >&2; exit 1; }
# BentoML's exit code is 0 when the build has failed, too.
grep -q "Successfully built Bento container" "$work/log" ||
  { tail -n 30 "$work/log" >&2; exit 1; }
echo "$image"

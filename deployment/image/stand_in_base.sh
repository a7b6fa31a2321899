#!/usr/bin/env bash
# A stand-in for python:3.11-slim where no container registry can be reached: Debian's
# own packages by debootstrap, under the name that the Dockerfiles ask for. Needs root,
# debootstrap and podman or buildah; it takes a minute or two, once.
# usage: stand_in_base.sh [WORK_FOLDER]
set -euo pipefail

readonly NAME=docker.io/library/python:3.11-slim
readonly SUITE=bookworm # whose Python is 3.11
work=${1:-/var/tmp/credit_scoring-base}

for program in debootstrap podman; do
  command -v "$program" >/dev/null || { echo "$program is not installed" >&2; exit 1; }
done
if podman image exists "$NAME"; then
  echo "$NAME is there already"
  exit 0
fi
mkdir -p "$work"
if [ ! -e "$work/rootfs.tar" ]; then
  rm -rf "$work/rootfs"
  debootstrap --variant=minbase \
    --include=python3,python3-venv,python3-pip,ca-certificates \
    "$SUITE" "$work/rootfs" >"$work/debootstrap.log" 2>&1 ||
    { tail -n 20 "$work/debootstrap.log" >&2; exit 1; }
  # As slim images are: without what only people read. Copyrights stay.
  find "$work/rootfs/usr/share/doc" ! -name copyright ! -type d -delete
  rm -rf "$work"/rootfs/var/cache/apt/* "$work"/rootfs/var/lib/apt/lists/* \
    "$work"/rootfs/usr/share/{man,info,locale,i18n,lintian} "$work"/rootfs/var/log/*
  ln -s python3 "$work/rootfs/usr/bin/python"
  tar --one-file-system -C "$work/rootfs" -cf "$work/rootfs.tar.part" .
  mv "$work/rootfs.tar.part" "$work/rootfs.tar"
  rm -rf --one-file-system "$work/rootfs"
fi
podman import --quiet --change 'ENV LANG=C.UTF-8' --change 'CMD ["python3"]' \
  "$work/rootfs.tar" "$NAME"

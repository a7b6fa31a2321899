#!/usr/bin/env bash
# Save MLflow's database and artifacts, from which every release can be made again.
# Decision logs are copied apart: see deployment/README.md.
# usage: backup.sh FOLDER, with COMPOSE (the command that speaks to the stack)
set -euo pipefail
folder=${1:?usage: backup.sh FOLDER}
read -ra compose <<<"${COMPOSE:-docker compose -f $(dirname "$0")/compose.yaml}"

umask 077
mkdir -p "$folder"
# The bucket last: an artifact is there before a row of the database names it.
# $POSTGRES_PASSWORD is the container's.
# shellcheck disable=SC2016
"${compose[@]}" exec -T postgres sh -c 'PGPASSWORD=$POSTGRES_PASSWORD exec pg_dump \
  --host=127.0.0.1 --username=postgres --format=custom mlflow' \
  </dev/null >"$folder/mlflow.dump.part"
"${compose[@]}" exec -T mlflow python /etc/mlflow/bucket.py save \
  </dev/null >"$folder/artifacts.tar.part"
[ -s "$folder/mlflow.dump.part" ] || { echo "the dump is empty" >&2; exit 1; }
mv "$folder/mlflow.dump.part" "$folder/mlflow.dump"
mv "$folder/artifacts.tar.part" "$folder/artifacts.tar"
(cd "$folder" && sha256sum mlflow.dump artifacts.tar >SHA256SUMS)
echo "saved in $folder"

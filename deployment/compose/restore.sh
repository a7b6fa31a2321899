#!/usr/bin/env bash
# Put MLflow's database and artifacts back from what backup.sh has saved.
# usage: restore.sh FOLDER, with COMPOSE; postgres, storage and mlflow must be up
set -euo pipefail
folder=${1:?usage: restore.sh FOLDER}
read -ra compose <<<"${COMPOSE:-docker compose -f $(dirname "$0")/compose.yaml}"

(cd "$folder" && sha256sum --check --quiet SHA256SUMS)
"${compose[@]}" exec -T mlflow python /etc/mlflow/bucket.py load <"$folder/artifacts.tar"
# Nobody may hold a table that is to be replaced.
"${compose[@]}" stop mlflow
# shellcheck disable=SC2016
"${compose[@]}" exec -T postgres sh -c 'PGPASSWORD=$POSTGRES_PASSWORD exec pg_restore \
  --host=127.0.0.1 --username=postgres --dbname=mlflow --clean --if-exists \
  --exit-on-error --single-transaction' <"$folder/mlflow.dump"
"${compose[@]}" start mlflow
echo "restored from $folder"

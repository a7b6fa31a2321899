#!/bin/sh
# A database and a user for each that keeps something in PostgreSQL; run once, when the
# volume is new. Passwords reach psql as variables, not as text of a command.
set -eu
for owner in mlflow airflow; do
  name="$(echo "$owner" | tr '[:lower:]' '[:upper:]')_DB_PASSWORD"
  eval "password=\${$name:?is missing}"
  psql --quiet -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" -d postgres \
    -v owner="$owner" -v password="$password" <<'SQL'
CREATE USER :"owner" PASSWORD :'password';
CREATE DATABASE :"owner" OWNER :"owner";
REVOKE ALL ON DATABASE :"owner" FROM PUBLIC;
SQL
done

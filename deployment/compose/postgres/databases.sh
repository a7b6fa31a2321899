#!/bin/sh
# A database and a user for each that keeps something in PostgreSQL; run when the volume
# is new, and again by who has changed a password. Passwords reach psql as variables, not
# as text of a command.
set -eu
for owner in mlflow airflow; do
  name="$(echo "$owner" | tr '[:lower:]' '[:upper:]')_DB_PASSWORD"
  eval "password=\${$name:?is missing}"
  psql --quiet -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" -d postgres \
    -v owner="$owner" -v password="$password" <<'SQL'
SELECT format('CREATE USER %I', :'owner')
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'owner') \gexec
ALTER USER :"owner" PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'owner', :'owner')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'owner') \gexec
REVOKE ALL ON DATABASE :"owner" FROM PUBLIC;
SQL
done

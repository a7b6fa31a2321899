#!/bin/sh
# What the entry point of PostgreSQL's own image does, with Debian's packages.
set -eu
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
export PATH
data=/var/lib/postgresql/data/pgdata
if [ ! -s "$data/PG_VERSION" ]; then
  rm -rf "$data.new"
  (umask 077 && echo "$POSTGRES_PASSWORD" > /tmp/password)
  initdb --pgdata="$data.new" --username=postgres --pwfile=/tmp/password \
    --auth-host=scram-sha-256 --auth-local=trust --encoding=UTF8 > /dev/null
  rm /tmp/password
  echo "host all all all scram-sha-256" >> "$data.new/pg_hba.conf"
  pg_ctl --pgdata="$data.new" --wait --silent \
    --options="-c listen_addresses='' -k /tmp" start
  PGHOST=/tmp sh /docker-entrypoint-initdb.d/databases.sh
  pg_ctl --pgdata="$data.new" --wait --silent --mode=fast stop
  mv "$data.new" "$data"
fi
exec postgres -D "$data" -c "listen_addresses=*" -k /tmp

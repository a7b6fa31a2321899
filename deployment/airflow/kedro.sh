#!/bin/sh
# Kedro as Airflow's container calls it, beside servers that each have a log of their own:
# links their segments into one log, to which batches add theirs, and renews what the image
# ships of a folder that lies in a volume.
#   SCHEDULE_LOGS: folder with a folder for each server's /var/lib/credit_scoring
set -eu
cp -R /app/shipped/bentos/. "$SCHEDULE_PROJECT/bentos/"
gather() {
  mkdir -p "$2"
  for part in "$SCHEDULE_LOGS"/*/"$1"/*; do
    if [ -e "$part" ]; then
      ln -sfn "$part" "$2/"
    fi
  done
}
gather decisions "$CREDIT_SCORING_DECISION_LOG_DIR"
gather outcomes "$CREDIT_SCORING_OUTCOMES_DIR"
exec /app/.venv/bin/kedro "$@"

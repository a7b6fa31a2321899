#!/bin/sh
# Alertmanager reads no environment: this writes its configuration with the receiver's
# address, from ALERT_WEBHOOK_URL or the file ALERT_WEBHOOK_URL_FILE, and starts it.
# usage: start.sh CONFIGURATION WRITTEN [argument of alertmanager]...
set -eu
configuration=$1
written=$2
shift 2
if [ -n "${ALERT_WEBHOOK_URL_FILE:-}" ]; then
  ALERT_WEBHOOK_URL=$(cat "$ALERT_WEBHOOK_URL_FILE")
fi
case "${ALERT_WEBHOOK_URL:-}" in
  http://?*|https://?*) ;;
  *)
    echo "ALERT_WEBHOOK_URL (or the file ALERT_WEBHOOK_URL_FILE) must be http(s)://..." >&2
    exit 1
    ;;
esac
umask 077
# An address may hold what sed takes for its own.
escaped=$(printf '%s' "${ALERT_WEBHOOK_URL%/}" | sed 's/[&|\\]/\\&/g')
sed "s|url: ALERT_WEBHOOK_URL|url: $escaped|" "$configuration" > "$written"
for program in alertmanager prometheus-alertmanager; do
  if command -v "$program" > /dev/null; then
    exec "$program" --config.file="$written" "$@"
  fi
done
echo "neither alertmanager nor prometheus-alertmanager is installed" >&2
exit 1

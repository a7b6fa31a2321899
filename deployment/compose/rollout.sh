#!/usr/bin/env bash
# Put another image in the place of the service's, one server after the other, so that
# the gateway always has one that answers. A rollback is a rollout of the image before.
# usage: rollout.sh IMAGE, with COMPOSE; it stops at the first server that is not ready
# within WAIT_SECONDS, with what that server said last, and leaves the others as they are
set -euo pipefail
image=${1:?usage: rollout.sh IMAGE}
here=$(cd "$(dirname "$0")" && pwd)
read -ra compose <<<"${COMPOSE:-docker compose -f $here/compose.yaml}"
readonly WAIT_SECONDS=${WAIT_SECONDS:-180}
# Longer than the gateway avoids a server that has failed (local/http.conf).
readonly SETTLE_SECONDS=6
env=${ENV_FILE:-$here/.env}

# As the gateway sees it: what the server says of itself is not enough for the other
# one to be stopped.
is_ready() {
  # shellcheck disable=SC2016
  "${compose[@]}" exec -T gateway timeout 4 bash -c 'exec 3<>"/dev/tcp/$0/3000" &&
    printf "GET /readyz HTTP/1.0\r\n\r\n" >&3 && head -n 1 <&3 | grep -q " 200 "' "$1" \
    </dev/null >/dev/null 2>&1
}

before=$(sed -n 's/^SERVICE_IMAGE=//p' "$env")
for server in service-1 service-2; do
  # It drains first: the gateway notices while requests are still answered.
  "${compose[@]}" stop "$server"
  SERVICE_IMAGE=$image "${compose[@]}" up -d --no-deps --force-recreate "$server"
  for ((second = 0; ; second++)); do
    is_ready "$server" && break
    if [ "$second" -ge "$WAIT_SECONDS" ]; then
      "${compose[@]}" logs --tail 10 "$server" >&2 </dev/null || true
      echo "$server is not ready with $image; the other goes on with ${before:-what it has}." \
        "Take it back: rollout.sh ${before:-IMAGE}" >&2
      exit 1
    fi
    sleep 1
  done
  sleep "$SETTLE_SECONDS"
  echo "$server answers with $image"
done
# What the next start of the stack takes.
sed "s|^SERVICE_IMAGE=.*|SERVICE_IMAGE=$image|" "$env" >"$env.part"
chmod 600 "$env.part"
mv "$env.part" "$env"

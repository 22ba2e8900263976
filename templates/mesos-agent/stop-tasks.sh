#!/bin/bash
# Stops the containers of tasks whose agent has stopped: their executors did with it. Calico's plugin still runs then and
# takes their addresses back, which it could not once Docker itself stops.
set -euo pipefail

docker=${DOCKER:-/opt/bin/docker}

# mesos-UUID and mesos-UUID-S1.UUID, and not mesos-agent.
mapfile -t tasks < <("$docker" ps --quiet --no-trunc --filter 'name=^/?mesos-[0-9a-f]{8}-')
if ((${#tasks[@]} > 0)); then
  "$docker" stop --time 10 "${tasks[@]}" >/dev/null
  echo "stop-tasks: stopped ${#tasks[@]}"
fi

#!/bin/bash
# When the whole host goes down, stops the containers of tasks: Calico's plugin still runs then and takes their addresses
# back, which it could not once Docker itself stops. When only the agent stops, its tasks go on.
set -euo pipefail

if [[ $(systemctl is-system-running) != stopping ]]; then
  exit 0
fi

# mesos-UUID and mesos-UUID-S1.UUID, and not mesos-agent.
mapfile -t tasks < <(docker ps --quiet --no-trunc --filter 'name=^/?mesos-[0-9a-f]{8}-')
if ((${#tasks[@]} > 0)); then
  docker stop --time 10 "${tasks[@]}" >/dev/null
  echo "stop-tasks: stopped ${#tasks[@]}"
fi

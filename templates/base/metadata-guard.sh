#!/bin/bash
# Keeps tasks from the cloud's metadata, which hold whatever credentials the machine has. Port 53 stays open: on GCE the
# same address is the resolver. The rules stand in the raw table, where no chain of Felix or Docker accepts a packet first.
set -euo pipefail

for interface in cali+ docker+ br-+; do
  rule=(
    PREROUTING --in-interface "$interface" --destination 169.254.169.254/32
    --protocol tcp --destination-port 80
    --match comment --comment mesos-calico --jump DROP
  )
  if ! iptables --wait --table raw --check "${rule[@]}" 2>/dev/null; then
    iptables --wait --table raw --insert "${rule[@]}"
  fi
done

#!/bin/bash
# Keeps tasks from the cloud's metadata, which hold whatever credentials the machine has, and from the masters' etcd, which
# has no password: as their agent, by translation of addresses, they could write policy. No task needs either. Port 53
# stays open: on GCE the metadata's address is the resolver. The rules stand in the raw table, where no chain of Felix or
# Docker accepts a packet first.
#   metadata-guard MASTER…
set -euo pipefail

drop() {
  local rule=(
    PREROUTING --in-interface "$1" --destination "$2/32" --protocol tcp --match multiport --destination-ports "$3"
    --match comment --comment mesos-calico --jump DROP
  )
  if ! iptables --wait --table raw --check "${rule[@]}" 2>/dev/null; then
    iptables --wait --table raw --insert "${rule[@]}"
  fi
}

for interface in cali+ docker+ br-+; do
  drop "$interface" 169.254.169.254 80
  for master in "$@"; do
    drop "$interface" "$master" 2379,2380
  done
done

#!/bin/bash
# Gives back the endpoints and addresses that tasks of an earlier agent of this host have left in etcd: net-modules forgets
# them when its agent stops, and they end with it. A task whose interface is still there is left alone.
#   sweep HOST:PORT URL,URL…      etcd as calico_mesos takes it, and as all others do
set -euo pipefail

export ETCD_AUTHORITY=$1 ETCD_SCHEME=http
IFS=, read -ra urls <<<"$2"
folder=$(cd "$(dirname "$0")" && pwd)
host=$(uname -n)
interfaces=${INTERFACES:-/sys/class/net}

for url in "${urls[@]}"; do
  left=$(curl --silent --fail --noproxy '*' --max-time 10 \
    "$url/v2/keys/calico/v1/host/$host/workload/mesos?recursive=true") && break
done

swept=0
while read -r container interface; do
  if [[ -n $interface && -e $interfaces/$interface ]]; then
    continue
  fi
  if printf '{"command": "cleanup", "args": {"hostname": "%s", "container_id": "%s"}}' "$host" "$container" |
    "$folder/calico_mesos" >/dev/null; then
    swept=$((swept + 1))
  else
    echo "sweep: calico_mesos could not give back what $container has left" >&2
  fi
done < <(
  # An endpoint is "key":"…/workload/mesos/CONTAINER/endpoint/ID","value":"{…\"name\": \"cali0123\"…}".
  grep --only-matching --extended-regexp '/workload/mesos/[^"/]+/endpoint/[^"/]+","value":"([^"\\]|\\.)*"' <<<"$left" |
    sed --regexp-extended 's|^/workload/mesos/([^/]+)/.*\\"name\\": *\\"([^"\\]+)\\".*|\1 \2|; s|^/workload/mesos/([^/]+)/.*|\1|'
)
echo "sweep: gave back $swept"

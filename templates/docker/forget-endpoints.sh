#!/bin/bash
# Once per boot, before Docker starts, removes its record of this host's networks and endpoints. After a crash it would ask
# the plugin of each endpoint to take it back, 15 seconds long, and the plugin is in a container that Docker has yet to
# start. No container's network outlives a boot, and the networks of all hosts are in etcd; a bridge that somebody has made
# on this host alone is forgotten with the rest.
#   forget-endpoints FILE
set -euo pipefail

# A boot finds /run empty.
mark=/run/mesos-calico/endpoints-forgotten
if [[ ! -e $mark ]]; then
  rm -f "$1"
  mkdir -p "${mark%/*}"
  touch "$mark"
fi

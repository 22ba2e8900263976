#!/bin/bash
# Fails unless all that the agent of Mesos needs for task networks is in this script's folder. Without the plugin
# net-modules only writes a warning, and tasks run on the network of the host, where no policy is.
set -euo pipefail

folder=$(cd "$(dirname "$0")" && pwd)

for name in modules.json libmesos_network_isolator.so calico_mesos; do
  if [[ ! -s $folder/$name ]]; then
    echo "guard: $folder/$name is not there, so tasks would get the network of the host" >&2
    exit 1
  fi
done
for name in libmesos_network_isolator.so calico_mesos; do
  if [[ ! -x $folder/$name || $(head --bytes=4 "$folder/$name") != $'\x7fELF' ]]; then
    echo "guard: $folder/$name is no program, so tasks would get the network of the host" >&2
    exit 1
  fi
done

#!/bin/bash
# Makes sure of this host's own address and name before any service tells them to others.
#   host-address            the address is in host.env already
#   host-address ADDRESS    it is what the cloud's metadata say, and host.env is written
set -euo pipefail

known=/etc/mesos-calico/host.env
found=/run/mesos-calico/host-cidr.env

if (($# > 0)); then
  address=$1
else
  address=$(sed -n 's/^HOST_IP=//p' "$known")
fi
if [[ ! $address =~ ^[0-9]+(\.[0-9]+){3}$ || $address == 127.* || $address == 0.* ]]; then
  echo "host-address: '$address' is no address that other hosts can reach this one by" >&2
  exit 1
fi

# The network may still be coming up, and the cloud gives the name with it.
for ((second = 0; second < 30; second++)); do
  cidr=$(ip -4 -oneline address show | awk -v own="$address" '{ split($4, part, "/"); if (part[1] == own) print $4 }')
  cidr=${cidr%%$'\n'*}
  name=$(uname -n)
  if [[ -n $cidr && -n $name && $name != localhost* ]]; then
    mkdir -p "${known%/*}" "${found%/*}"
    if (($# > 0)); then
      echo "HOST_IP=$address" >"$known.new"
      mv "$known.new" "$known"
    fi
    echo "HOST_CIDR=$cidr" >"$found.new"
    mv "$found.new" "$found"
    echo "host-address: $name is at $cidr"
    exit 0
  fi
  sleep 1
done

if [[ -z $cidr ]]; then
  echo "host-address: no interface of this host has the address $address" >&2
else
  echo "host-address: this host is called '$name'; Calico keeps its data by host name, and two of one name overwrite each other" >&2
fi
exit 1

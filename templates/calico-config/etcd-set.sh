#!/bin/bash
# Writes a key of etcd's v2 API; waits two minutes for an etcd that has a leader.
#   etcd-set URL KEY VALUE
set -euo pipefail

url=$1 key=$2 value=$3

for ((end = SECONDS + 120; ; )); do
  if answer=$(curl --silent --show-error --fail --noproxy '*' --max-time 10 \
    --request PUT --data-urlencode "value=$value" "$url/v2/keys$key" 2>&1); then
    exit 0
  fi
  if ((SECONDS >= end)); then
    echo "etcd-set: $url does not take $key: $answer" >&2
    exit 1
  fi
  sleep 2
done

#!/bin/bash
# Makes the Docker networks of the cluster, each once. Docker keeps them in etcd for all agents, but compares names only
# before it writes: two agents at the same moment would make two of one name, so each takes a lock in etcd for it.
#   docker-networks URL,URL… IPAM-DRIVER NETWORK…
set -euo pipefail

IFS=, read -ra urls <<<"$1"
ipam=$2
shift 2

docker=${DOCKER:-/opt/bin/docker}
plugins=${PLUGINS:-/run/docker/plugins}
patience=${PATIENCE:-180}
lock=/v2/keys/mesos-calico/docker-networks
# Longer than what is done under the lock can take; an agent that dies with it keeps the others waiting as long.
lease=120
me=$(uname -n).$$.$RANDOM

fail() {
  echo "docker-networks: $*" >&2
  exit 1
}

# etcd METHOD QUERY [FIELD=VALUE…]: the HTTP status of the first answer that is etcd's; 000 where there is none.
etcd() {
  local method=$1 query=$2 url answer=000 field fields=()
  shift 2
  for field in "$@"; do fields+=(--data-urlencode "$field"); done
  for url in "${urls[@]}"; do
    answer=$(curl --silent --noproxy '*' --max-time 10 --output "$scratch" --write-out '%{http_code}' \
      --request "$method" "${fields[@]}" "$url$lock$query") || true
    case $answer in 200 | 201 | 404 | 412) break ;; esac
  done
  echo "$answer"
}

acquire() {
  local answer
  until answer=$(etcd PUT '?prevExist=false' "value=$me" "ttl=$lease") && [[ $answer == 201 ]]; do
    # An answer that was lost on its way may have been a yes.
    if [[ $answer == 412 && $(etcd GET '?quorum=true') == 200 && $(<"$scratch") == *"\"$me\""* ]]; then
      return
    fi
    if ((SECONDS >= deadline)); then
      [[ $answer == 412 ]] && fail "another agent has had the lock in etcd for $patience seconds"
      fail "no etcd at ${urls[*]} answers (HTTP $answer)"
    fi
    sleep 1
  done
}

release() {
  etcd DELETE "?prevValue=$me" >/dev/null
}

# Whether the network is there. By name: Docker also takes the beginning of an id for one.
there() {
  local found
  found=$(timeout 30 "$docker" network inspect --format '{{.Name}} {{.Driver}} {{.Scope}} {{.IPAM.Driver}}' "$1" 2>/dev/null) || return 1
  case $found in
    "$1 calico global $ipam") return 0 ;;
    # With addresses of Docker's own, tasks get a second interface, and what goes by it meets no policy.
    "$1 calico global "*) fail "the network $1 has addresses of the IPAM driver ${found##* }, not $ipam: packets go by docker_gwbridge, past every policy; docker network rm $1 makes room" ;;
    "$1 "*) fail "there is a network $1 that is none of Calico's (${found#"$1 "}); docker network rm $1 makes room" ;;
    *) return 1 ;;
  esac
}

scratch=$(mktemp)
trap 'rm -f "$scratch"' EXIT

deadline=$((SECONDS + patience))
for driver in $(printf '%s\n' calico "$ipam" | sort --unique); do
  socket=$plugins/$driver.sock
  until {{activate}} 2>/dev/null | grep --quiet Implements; do
    ((SECONDS < deadline)) || fail "Calico's Docker plugin does not answer at $socket after $patience seconds; is calico-node up?"
    sleep 1
  done
done

for network in "$@"; do
  there "$network" && continue
  deadline=$((SECONDS + patience))
  acquire
  trap 'release; rm -f "$scratch"' EXIT
  if ! there "$network"; then
    timeout 60 "$docker" network create --driver calico --ipam-driver "$ipam" "$network" >/dev/null ||
      fail "Docker did not make the network $network"
    echo "docker-networks: made $network"
  fi
  release
  trap 'rm -f "$scratch"' EXIT
done

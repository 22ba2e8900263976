#!/bin/bash
# Takes away what Calico keeps of hosts that had this one's address before it: calico/node ends where another name has its
# address. A cloud gives an address to one machine at a time, and this one has it, so the other is dead.
#   forget-hosts URL,URL… ADDRESS
# By etcd's v2 API, which is the same for all versions: calicoctl may be missing, and that of v0.17 removes only itself.
# Blocks of addresses keep the dead host's name: what its tasks had stays taken, the rest is given when no block is free.
set -euo pipefail

IFS=, read -ra urls <<<"$1"
address=$2
if [[ ! $address =~ ^[0-9]+(\.[0-9]+){3}$ ]]; then
  echo "forget-hosts: '$address' is no address" >&2
  exit 2
fi
own=$(uname -n)

# etcd METHOD KEY: the first answer that is etcd's own, also that there is no such key.
etcd() {
  local url answer
  for url in "${urls[@]}"; do
    answer=$(curl --silent --noproxy '*' --max-time 20 --write-out ' %{http_code}' \
      --request "$1" "$url/v2/keys$2?recursive=true") || continue
    case $answer in
      '{"action":'*' 200' | '{"errorCode":100,'*' 404') echo "$answer" && return ;;
    esac
  done
  echo "forget-hosts: no etcd at ${urls[*]} does $1 $2 (last: ${answer:-nothing})" >&2
  return 1
}

hosts=$(etcd GET /calico/bgp/v1/host)
# "key":"/calico/bgp/v1/host/NAME/ip_addr_v4","value":"ADDRESS"
while read -r name; do
  # Calico of some versions writes names in small letters.
  [[ ${name,,} == "${own,,}" ]] && continue
  # The key that it was found by comes last, so that a run that is cut short is ended by the next.
  for tree in ipam/v2 v1 bgp/v1; do
    etcd DELETE "/calico/$tree/host/$name" >/dev/null
  done
  echo "forget-hosts: $name had $address, and is forgotten"
done < <(
  grep --only-matching --extended-regexp \
    "\"/calico/bgp/v1/host/[A-Za-z0-9._-]+/ip_addr_v4\",\"value\":\"${address//./\\.}\"" <<<"$hosts" | cut --delimiter=/ --fields=6
)

#!/bin/bash
# Downloads a file or the members of a tar archive, once: what is there with the same address and sum is left alone.
#   fetch URL SHA256|- file TARGET
#   fetch URL SHA256|- tar FOLDER MEMBER…      (each member lands in FOLDER under its own name, without its folders)
set -euo pipefail

url=$1 sum=$2 kind=$3 target=$4
shift 4

home=/opt/mesos-calico
mark=$home/fetched/$(printf '%s' "$kind $target $*" | sha256sum | cut -c 1-16)
wanted="$url $sum"

case $kind in
  file) targets=("$target") ;;
  tar) targets=("${@##*/}") && targets=("${targets[@]/#/$target/}") ;;
  *) echo "fetch: $kind is neither file nor tar" >&2 && exit 2 ;;
esac

# Two units may want one program at the same moment.
mkdir -p "${mark%/*}"
exec 9>"$mark.lock"
flock 9

complete() {
  [[ -f $mark && $(<"$mark") == "$wanted" ]] || return 1
  for each in "${targets[@]}"; do [[ -x $each ]] || return 1; done
}
if complete; then
  exit 0
fi

# The proxy is for downloads alone: a service that had it would ask it for other nodes.
if [[ -f /etc/mesos-calico/proxy.env ]]; then
  set -a
  # shellcheck source=/dev/null
  . /etc/mesos-calico/proxy.env
  set +a
fi

part=$(mktemp -d "$home/fetch.XXXXXX")
trap 'rm -rf "$part"' EXIT

echo "fetching $url"
curl --fail --location --silent --show-error --connect-timeout 20 --max-time 480 --output "$part/download" "$url"
if [[ $sum != - ]]; then
  echo "$sum  $part/download" | sha256sum --check --quiet
fi

place() {
  mkdir -p "${2%/*}"
  install -m 0755 "$1" "$2.new"
  mv "$2.new" "$2"
}
if [[ $kind == file ]]; then
  place "$part/download" "$target"
else
  for member in "$@"; do
    tar --extract --gzip --file "$part/download" --to-stdout "$member" >"$part/member"
    place "$part/member" "$target/${member##*/}"
  done
fi

echo "$wanted" >"$mark"

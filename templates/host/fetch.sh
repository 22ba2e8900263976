#!/bin/bash
# Downloads a file, the members of a tar archive or all of it, once: what is there with the same address and sum is left
# alone, and says nothing. With a sum, a download that was cut short goes on where it ended.
#   fetch URL SHA256|- file TARGET
#   fetch URL SHA256|- tar FOLDER MEMBER…      (each member lands in FOLDER under its own name, without its folders)
#   fetch URL SHA256|- tree FOLDER             (all of the archive, without its first folder)
set -euo pipefail

url=$1 sum=$2 kind=$3 target=$4
shift 4

home=/opt/mesos-calico
mark=$home/fetched/$(printf '%s' "$kind $target $*" | sha256sum | cut -c 1-16)
wanted="$url $sum"

case $kind in
  file) targets=("$target") ;;
  tar) targets=("${@##*/}") && targets=("${targets[@]/#/$target/}") ;;
  tree) targets=("$target") ;;
  *) echo "fetch: $kind is neither file, tar nor tree" >&2 && exit 2 ;;
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

part=$mark.part
trap 'rm -rf "$part.member"' EXIT
# Nobody could tell whether the rest of a file without a sum belongs to its beginning.
if [[ $sum == - ]]; then
  rm -f "$part"
fi

# 500 bytes a second for a minute is the least that is waited for.
download() {
  echo "fetching $url"
  curl --fail --location --silent --show-error --connect-timeout 20 --max-time "${FETCH_SECONDS:-1800}" \
    --speed-limit 500 --speed-time 60 --continue-at - --output "$part" "$url"
}
right() {
  [[ -f $part ]] || return 1
  [[ $sum == - ]] || echo "$sum  $part" | sha256sum --check --status
}

for try in 1 2 3; do
  if [[ $sum != - ]] && right; then
    break
  fi
  if download && right; then
    break
  fi
  if [[ -f $part && $sum != - ]] && ((try == 2)); then
    # What goes on from a wrong beginning never gets right.
    rm -f "$part"
  fi
  if ((try == 3)); then
    if [[ -s $part && $sum != - ]]; then
      found=$(sha256sum "$part")
      echo "fetch: $url has the checksum ${found%% *}, not $sum" >&2
      rm -f "$part"
    else
      echo "fetch: $url could not be downloaded" >&2
    fi
    exit 1
  fi
  if [[ $sum == - ]]; then
    rm -f "$part"
  fi
  sleep "${FETCH_PAUSE:-3}"
done

place() {
  mkdir -p "${2%/*}"
  install -m 0755 "$1" "$2.new"
  mv "$2.new" "$2"
}
case $kind in
  file) place "$part" "$target" ;;
  tar)
    for member in "$@"; do
      tar --extract --gzip --file "$part" --to-stdout "$member" >"$part.member"
      place "$part.member" "$target/${member##*/}"
    done
    ;;
  tree)
    rm -rf "$target.new" "$target.old"
    mkdir -p "$target.new"
    tar --extract --gzip --file "$part" --directory "$target.new" --strip-components=1 --no-same-owner
    if [[ -e $target ]]; then
      mv "$target" "$target.old"
    fi
    mv "$target.new" "$target"
    rm -rf "$target.old"
    ;;
esac

echo "$wanted" >"$mark"
rm -f "$part"

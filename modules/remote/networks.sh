#!/usr/bin/env bash
# Networks of an agent, for a verification: makes the one of the control tasks, tells the ids of Docker's, and takes the
# one away again.
#   arguments: make|tell|drop, docker|cni, the IPAM driver, the network of the control tasks, names of networks
LC_ALL=C
PATH=/opt/bin:$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
deed=$1 kind=$2 ipam=$3 control=$4
shift 4
mark=mesos-calico.verify

# Docker says an empty line of a network that it does not know.
docker_id() { timeout 30 docker network inspect -f '{{.Id}}' "$1" 2>/dev/null | grep .; }

case $deed-$kind in
make-docker)
  docker_id "$control" >/dev/null ||
    timeout 60 docker network create --driver calico --ipam-driver "$ipam" --label $mark=1 "$control" >/dev/null || exit 1 ;;
drop-docker)
  # Only what a verification has made.
  label=$(timeout 30 docker network inspect -f "{{index .Labels \"$mark\"}}" "$control" 2>/dev/null) || exit 0
  [[ $label != 1 ]] || timeout 60 docker network rm "$control" >/dev/null ;;
make-cni)
  # Mesos reads a network that it does not know yet when a task asks for it.
  file=/etc/cni/net.d/$control.conf
  [[ ! -e $file ]] || exit 0
  for other in /etc/cni/net.d/*.conf; do
    grep -q '"type": *"calico"' "$other" 2>/dev/null || continue
    name=$(basename "$other" .conf)
    sed "s/\"name\": *\"$name\"/\"name\": \"$control\"/" "$other" >"$file"
    exit
  done
  echo 'no network of Calico is configured in /etc/cni/net.d' >&2
  exit 1 ;;
drop-cni) rm -f "/etc/cni/net.d/$control.conf" ;;
esac
[[ $kind != docker || $deed == drop ]] || for name in "$control" "$@"; do
  echo "network $name $(docker_id "$name" || echo -)"
done

#!/bin/sh
# What somebody who is far away needs to know of a node. Only reads; every command has a limit of time and size. One thing a
# line, item=NAME BASE64, and a last line that says that nothing is missing. modules/bundle/bundle.ts reads it, and takes
# secrets out before anything is written. Words are those of modules/doctor/look.sh.
LC_ALL=C
export LC_ALL
PATH=/opt/bin:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin
export PATH

role= own= bird= only=
for word in "$@"; do
  case $word in
    role=*) role=${word#*=} ;;
    own=*) own=${word#*=} ;;
    bird=*) bird=${word#*=} ;;
    only=*) only=${word#*=} ;;
  esac
done

has() { command -v "$1" >/dev/null 2>&1; }
limited() { if has timeout; then timeout 15 "$@"; else "$@"; fi; }
# NAME COMMAND…: what it says, and how it ended on a last line; without that line it was cut off.
item() {
  name=$1
  shift
  has "$1" || return
  printf 'item=%s ' "$name"
  { limited "$@" 2>&1; echo; echo "[ended with $?]"; } | head -c 2000000 | base64 | tr -d '\n'
  echo
}
ask() { item "$1" curl -s -S -L -m 10 --noproxy '*' "$2"; }

system() {
  item system/uname.txt uname -a
  item system/os-release.txt cat /etc/os-release
  item system/uptime.txt uptime
  item system/date.txt date
  item system/timedatectl.txt timedatectl
  item system/disks.txt df -h
  item system/memory.txt free -m
  item system/modules.txt lsmod
  item system/kernel-log.txt dmesg
}

network() {
  item network/addresses.txt ip -d address
  item network/routes.txt ip route show table all
  item network/rules.txt ip rule
  item network/links.txt ip -s link
  item network/settings.txt sysctl net.ipv4.ip_forward net.ipv4.conf net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max
  item network/listeners.txt ss -ltnup
  item network/sessions.txt ss -tn '( sport = :179 or dport = :179 )'
  # Felix and Docker may use either kind, and one does not show the other.
  item network/iptables.txt iptables-save
  item network/iptables-legacy.txt iptables-legacy-save
  item network/ip6tables.txt ip6tables-save
  item network/ipsets.txt ipset list
}

units() {
  [ -d /run/systemd/system ] || return
  item units/all.txt systemctl list-units --all --no-pager
  item units/failed.txt systemctl list-units --failed --no-pager
  item units/files.txt systemctl list-unit-files --no-pager
  for unit in $(limited systemctl show --property=Wants mesos-calico.target 2>/dev/null | sed -n 's/^Wants=//p'); do
    item "units/$unit.status.txt" systemctl status --no-pager --full --lines=0 "$unit"
    item "journals/$unit.txt" journalctl --no-pager --output=short-iso --lines=1000 --unit="$unit"
  done
}

routes() {
  for show in 'status' 'protocols all' 'route'; do
    file=bird/$(echo "$show" | tr ' ' '-').txt
    if [ -n "$bird" ]; then item "$file" birdc -s "$bird" show $show
    elif [ -S /run/bird/bird.ctl ]; then item "$file" birdc -s /run/bird/bird.ctl show $show
    else
      for path in /var/run/calico/bird.ctl /etc/service/bird/bird.ctl; do
        ! limited docker exec calico-node test -S "$path" 2>/dev/null || item "$file" docker exec calico-node birdcl -s "$path" show $show
      done
    fi
  done
}

engine() {
  has docker || return
  item docker/info.txt docker info
  item docker/version.txt docker version
  item docker/containers.txt docker ps -a --no-trunc
  item docker/images.txt docker images
  item docker/networks.txt docker network ls --no-trunc
  ids=$(limited docker network ls --quiet 2>/dev/null)
  [ -z "$ids" ] || item docker/networks.json docker network inspect $ids
  item docker/calico-node.log docker logs --tail 1000 calico-node
}

mesos() {
  if [ "$role" = agent ]; then
    ask mesos/agent-state.json "http://$own:5051/state"
    return
  fi
  ask mesos/master-state.json "http://$own:5050/state"
  ask mesos/metrics.json "http://$own:5050/metrics/snapshot"
  for what in info leader apps deployments queue; do ask "marathon/$what.json" "http://$own:8080/v2/$what"; done
}

etcd() {
  [ "$role" = master ] || return
  ask etcd/health.json "http://$own:2379/health"
  ask etcd/members.json "http://$own:2379/v2/members"
  ask etcd/self.json "http://$own:2379/v2/stats/self"
  ask etcd/calico.json "http://$own:2379/v2/keys/calico?recursive=true"
}

# What we wrote, as the manifest of the host has it, and where others keep the same; no programs, nothing that is a secret
# by its name.
files() {
  {
    find /etc/mesos-calico /etc/calico /etc/cni/net.d /etc/mesos /etc/mesos-master /etc/mesos-slave /etc/mesos-agent /etc/marathon/conf \
      /etc/modules-load.d /etc/sysctl.d /etc/NetworkManager/conf.d -type f -size -200k 2>/dev/null
    for path in /etc/docker/daemon.json /var/lib/mesos-calico/manifest; do [ ! -f "$path" ] || echo "$path"; done
    sed -n 's/.* \(\/etc\/systemd\/system\/[^ ]*\)$/\1/p' /var/lib/mesos-calico/manifest 2>/dev/null
  } | sort -u | while read -r path; do
    case $path in
      *[!A-Za-z0-9_./@-]*) ;;
      *.pem | *.key | *credential* | *secret* | *passw* | *token*) echo "left=$path" ;;
      *) item "files$path" cat "$path" ;;
    esac
  done
}

network
routes
etcd
if [ "$only" != network ]; then
  system
  units
  engine
  mesos
  files
fi
echo "end=collect"
exit 0

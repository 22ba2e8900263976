#!/bin/sh
# How a node of a running cluster is. Only reads; every question that could hang has a limit. One fact a line, NAME=VALUE,
# and a last line that says that nothing is missing. modules/doctor/seen.ts reads it, and knows every name. Words:
#   role=master|agent  own=ADDRESS  master=ADDRESS…  socket=PATH…  bird=SOCKET, where BIRD is a program of the host
#   only=network       a host of the lab: a network namespace, without Docker, Mesos, units and disks of its own
LC_ALL=C
export LC_ALL
PATH=/opt/bin:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin
export PATH

echo "clock=$(date +%s.%N | sed 's/\.N$/.0/')"

role= own= masters= sockets= bird= only=
for word in "$@"; do
  case $word in
    role=*) role=${word#*=} ;;
    own=*) own=${word#*=} ;;
    master=*) masters="$masters ${word#*=}" ;;
    socket=*) sockets="$sockets ${word#*=}" ;;
    bird=*) bird=${word#*=} ;;
    only=*) only=${word#*=} ;;
  esac
done

has() { command -v "$1" >/dev/null 2>&1; }
limited() { if has timeout; then timeout 10 "$@"; else "$@"; fi; }
# A fact in one line; nothing where there is none.
fact() {
  value=$(printf '%s' "$2" | tr '\n\t\r' '   ' | sed 's/^ *//; s/ *$//')
  [ -z "$value" ] || printf '%s=%s\n' "$1" "$value"
}
first() { head -n 1; }
file() { [ ! -r "$1" ] || cat "$1" 2>/dev/null; }
# The first thing in a text that looks like a version.
version() { sed -n 's/^[^0-9]*\([0-9][0-9]*\.[0-9][0-9A-Za-z.+~_-]*\).*$/\1/p' | first; }
# KEY URL: the status of an answer, and its body in one line; 000 where none came.
ask() {
  said=$(limited curl -s -L -m 4 --noproxy '*' -w '\n%{http_code}\n' "$2" 2>/dev/null | tr '\n\t\r' '   ' | sed 's/ *$//')
  status=${said##* }
  case $status in [0-9][0-9][0-9]) ;; *) status=000 said= ;; esac
  printf 'answer=%s %s %s\n' "$1" "$status" "${said% *}"
}

system() {
  fact hostname "$(uname -n)"
  has curl || fact curl missing
  echo "setting=ip_forward $(file /proc/sys/net/ipv4/ip_forward)"
  for path in /proc/sys/net/ipv4/conf/*/rp_filter; do
    device=${path%/rp_filter}
    case ${device##*/} in all | default | cali* | tunl0) echo "setting=rp_filter.${device##*/} $(file "$path")" ;; esac
  done
  has ip || return
  ip -o link show 2>/dev/null | sed -n 's/^[0-9]*: \([^:@ ]*\)[@:].* mtu \([0-9]*\) .*/link=\1 \2/p'
  ip -o -4 addr show 2>/dev/null | while read -r _ device _ address _; do echo "address=$device $address"; done
}

room() {
  for path in / /var/lib/docker /var/lib/etcd /var/lib/mesos /var/log; do
    [ ! -d "$path" ] || df -Pk "$path" 2>/dev/null | sed -n '2p' | while read -r _ _ _ free used _; do
      echo "disk=$path $((free / 1024)) ${used%\%}"
    done
  done
}

units() {
  has systemctl && [ -d /run/systemd/system ] || return
  wanted=$(limited systemctl show --property=Wants mesos-calico.target 2>/dev/null | sed -n 's/^Wants=//p')
  [ -z "$wanted" ] || fact target "$(limited systemctl is-active mesos-calico.target 2>/dev/null)"
  up=$(cut -d . -f 1 /proc/uptime)
  for unit in $wanted; do
    limited systemctl show --property=ActiveState,SubState,NRestarts,ActiveEnterTimestampMonotonic "$unit" 2>/dev/null | {
      active=unknown sub=unknown restarts=0 since=0
      while IFS='=' read -r name value; do
        case $name in
          ActiveState) active=$value ;;
          SubState) sub=$value ;;
          NRestarts) restarts=$value ;;
          ActiveEnterTimestampMonotonic) since=$((value / 1000000)) ;;
        esac
      done
      echo "unit=$unit $active $sub $restarts $((up - since))"
    }
  done
  limited systemctl list-units --failed --plain --no-legend 2>/dev/null | while read -r name _; do echo "failed=$name"; done
  for name in chronyd chrony ntpd ntp systemd-timesyncd; do
    if limited systemctl is-active --quiet "$name" 2>/dev/null; then fact clock-kept yes && break; fi
  done
}

# What runs in Docker: calico-node, networks, and tasks with the network that each asked for.
docker_side() {
  has docker || return
  fact docker "$(limited docker version --format '{{.Server.Version}}' 2>/dev/null | version)"
  fact docker-store "$(limited docker info 2>/dev/null | sed -n 's/^ *Cluster [Ss]tore: //p')"
  calico=$(limited docker ps -a --format '{{.Names}} {{.Image}}' 2>/dev/null | sed -n -e '/^calico-node /p' -e '/[ /]calico\/node[:@]/p' | first)
  if [ -n "$calico" ]; then
    fact calico-node "$(limited docker inspect --format '{{.State.Status}}' "${calico%% *}" 2>/dev/null | first)"
    fact calico-image "${calico#* }"
  fi
  ids=$(limited docker network ls --no-trunc --quiet 2>/dev/null)
  [ -z "$ids" ] || limited docker network inspect --format '{{.Id}} {{.Name}} {{.Driver}} {{.Scope}} {{.IPAM.Driver}}' $ids 2>/dev/null | sed 's/^/network=/'
  ids=$(limited docker ps --no-trunc --quiet 2>/dev/null)
  [ -z "$ids" ] || limited docker inspect --format '{{.Name}} {{.HostConfig.NetworkMode}} {{range .NetworkSettings.Networks}}{{.IPAddress}},{{end}} {{json .Config.Env}}' $ids 2>/dev/null |
    sed -n 's/^\/\([^ ]*\) \([^ ]*\) \([^ ]*\) .*"\(MESOS_TASK_ID\|MARATHON_APP_ID\)=\([^"]*\)".*/task=\1 \2 \3 \5/p'
}

sockets() {
  for path in $sockets; do
    if [ ! -S "$path" ]; then state=missing
    elif has curl && limited curl -s -m 5 --noproxy '*' --unix-socket "$path" -X POST http://plugin/Plugin.Activate 2>/dev/null | grep -q Implements; then state=answers
    else state=silent; fi
    echo "socket=$path $state"
  done
}

# BIRD of calico-node, or one of the host. Which of the sockets it has depends on the version of Calico.
bird_says() {
  [ -z "$bird" ] || { has birdc && limited birdc -s "$bird" show protocols 2>/dev/null && return; }
  if has docker; then
    for path in /var/run/calico/bird.ctl /etc/service/bird/bird.ctl; do
      limited docker exec calico-node birdcl -s "$path" show protocols 2>/dev/null && return
    done
  fi
  for path in /var/run/calico/bird.ctl /run/bird/bird.ctl; do
    [ ! -S "$path" ] || { has birdc && limited birdc -s "$path" show protocols 2>/dev/null && return; }
  done
}
routes() {
  said=$(bird_says)
  case $said in
    *[Pp]roto*[Tt]able*) fact bird answers ;;
    *) fact bird silent && return ;;
  esac
  printf '%s\n' "$said" | while read -r name protocol _ state _ rest; do
    [ "$protocol" != BGP ] || echo "session=$name $state $rest"
  done
}

etcd() {
  for address in $masters; do ask "etcd-health@$address" "http://$address:2379/health"; done
  [ "$role" = master ] || return
  ask etcd-version "http://$own:2379/version"
  ask etcd-self "http://$own:2379/v2/stats/self"
  ask etcd-members "http://$own:2379/v2/members"
  ask etcd-calico "http://$own:2379/v2/keys/calico?recursive=true"
}

mesos() {
  if [ "$role" = agent ]; then
    ask mesos-agent "http://$own:5051/state"
    return
  fi
  ask mesos-metrics "http://$own:5050/metrics/snapshot"
  ask mesos-slaves "http://$own:5050/slaves"
  ask mesos-version "http://$own:5050/version"
  fact mesos-leader "$(limited curl -s -m 4 --noproxy '*' -o /dev/null -w '%{redirect_url}' "http://$own:5050/redirect" 2>/dev/null | sed 's,^[a-z]*:*//,,; s,/*$,,')"
  ask marathon-leader "http://$own:8080/v2/leader"
  ask marathon-info "http://$own:8080/v2/info"
  ! has bash || fact zookeeper "$(limited bash -c "exec 3<>/dev/tcp/$own/2181 && echo srvr >&3 && cat <&3" 2>/dev/null | sed -n -e 's/^Zookeeper version: \([0-9.]*\).*/\1/p' -e 's/^Mode: \([a-z]*\).*/\1/p')"
}

system
routes
etcd
if [ "$only" != network ]; then
  room
  units
  docker_side
  sockets
  mesos
fi
echo "end=look"
exit 0

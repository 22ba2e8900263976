#!/bin/sh
# What is on this host. Only reads; every question that could hang has a limit. One fact a line, NAME=VALUE, and a last
# line that says that nothing is missing. modules/hosts/found.ts reads it, and knows every name.
LC_ALL=C
export LC_ALL
PATH=/opt/bin:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin
export PATH

echo "clock=$(date +%s.%N | sed 's/\.N$/.0/')"

has() { command -v "$1" >/dev/null 2>&1; }
limited() { if has timeout; then timeout 5 "$@"; else "$@"; fi; }
# A fact in one line; nothing where there is none.
fact() {
  value=$(printf '%s' "$2" | tr '\n\t' '  ' | sed 's/^ *//; s/ *$//')
  [ -z "$value" ] || printf '%s=%s\n' "$1" "$value"
}
first() { head -n 1; }
file() { [ ! -r "$1" ] || cat "$1" 2>/dev/null; }
# The first thing in a text that looks like a version: 1.2, 1.2.3, 20.10.24-ce.
version() { sed -n 's/^[^0-9]*\([0-9][0-9]*\.[0-9][0-9A-Za-z.+~_-]*\).*$/\1/p' | first; }
setting() { sed -n "s/^$2=//p" "$1" 2>/dev/null | first | tr -d "\"'"; }
active() { has systemctl && limited systemctl is-active --quiet "$1" 2>/dev/null; }
ask() {
  if has curl; then limited curl -s -m 4 "$1" 2>/dev/null
  elif has wget; then limited wget -q -T 4 -O - "$1" 2>/dev/null; fi
}
packaged() {
  for name in "$@"; do
    if has rpm; then rpm -q --qf '%{VERSION}\n' "$name" 2>/dev/null | grep -v 'not installed' | version && return
    elif has dpkg-query; then
      dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$name" 2>/dev/null | sed -n 's/^installed \([0-9]*:\)\{0,1\}//p' | version
    fi
  done | first
}
# Command lines of all that runs, without needing ps.
processes() {
  for each in /proc/[0-9]*/cmdline; do tr '\0' ' ' <"$each" 2>/dev/null && echo; done
}
running=$(processes)
runs() { printf '%s\n' "$running" | grep -Eq "$1"; }

os() {
  fact hostname "$(uname -n)"
  fact machine-id "$(file /etc/machine-id)"
  for name in ID VERSION_ID ID_LIKE PRETTY_NAME; do
    fact "os-$(echo "$name" | tr '[:upper:]_' '[:lower:]-')" "$(setting /etc/os-release "$name")"
  done
  fact kernel "$(uname -r)"
  fact arch "$(uname -m)"
  for name in dnf yum apt-get; do if has "$name"; then fact manager "$name" && break; fi; done
  if [ -d /run/systemd/system ]; then fact systemd "$(limited systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')"; fi
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then fact cgroup v2
  elif [ -d /sys/fs/cgroup/memory ] || [ -d /sys/fs/cgroup/cpu ]; then fact cgroup v1; fi
}

modules() {
  folder=/lib/modules/$(uname -r)
  for name in ip_tables ip6_tables xt_set ip_set ipip br_netfilter overlay nf_conntrack; do
    if [ -d "/sys/module/$name" ]; then state=loaded
    elif grep -qs "/$name\.ko" "$folder/modules.builtin"; then state=built-in
    elif [ ! -d "$folder" ]; then state=unknown
    elif find "$folder" -name "$name.ko*" 2>/dev/null | grep -q .; then state=loadable
    else state=missing; fi
    echo "module=$name $state"
  done
}

settings() {
  fact ip-forward "$(file /proc/sys/net/ipv4/ip_forward)"
  fact rp-filter-all "$(file /proc/sys/net/ipv4/conf/all/rp_filter)"
  fact rp-filter-default "$(file /proc/sys/net/ipv4/conf/default/rp_filter)"
  fact arp-ignore "$(file /proc/sys/net/ipv4/conf/all/arp_ignore)"
  if has getenforce; then fact selinux "$(getenforce | tr '[:upper:]' '[:lower:]')"; fi
  if active firewalld; then fact firewalld running; fi
  if active ufw && limited ufw status 2>/dev/null | grep -q '^Status: active'; then fact ufw running; fi
  if active NetworkManager; then fact network-manager running; fi
  # Asking an iptables that has no tables yet would make it load them.
  if has iptables && { iptables -V | grep -q nf_tables || grep -qs filter /proc/net/ip_tables_names; }; then
    fact forward-policy "$(limited iptables -S FORWARD 2>/dev/null | sed -n 's/^-P FORWARD //p')"
  fi
  if active chronyd || active chrony || active ntpd || active ntp || active systemd-timesyncd; then fact clock-kept yes; fi
}

room() {
  fact memory-total "$(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo)"
  fact memory-available "$(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo)"
  for path in /var/lib/docker /var/lib /opt; do
    [ ! -d "$path" ] || echo "disk=$path $(df -Pk "$path" 2>/dev/null | sed -n '2p' | tr -s ' ' | cut -d ' ' -f 4)"
  done
}

network() {
  has ip || return
  ip -o -4 addr show 2>/dev/null | while read -r _ device _ address _; do echo "address=$device $address"; done
  ip -4 route show 2>/dev/null | while read -r range rest; do
    device=$(printf '%s\n' "$rest" | sed -n 's/.*dev \([^ ]*\).*/\1/p')
    case "$range" in */*) [ -z "$device" ] || echo "route=$range $device" ;; esac
  done
}

listeners() {
  has ss || return
  ss -ltnup 2>/dev/null | while read -r protocol state _ _ local _ rest; do
    case "$protocol $state" in "tcp LISTEN" | "udp UNCONN") ;; *) continue ;; esac
    name=$(printf '%s' "$rest" | sed -n 's/^users:(("\([^"]*\)".*/\1/p' | tr ' ' '_')
    echo "listen=$protocol ${local##*:} ${name:-unknown} ${local%:*}"
  done
}

software() {
  if has docker; then
    fact docker "$(limited docker version --format '{{.Server.Version}}' 2>/dev/null | version)"
    fact docker-client "$(limited docker --version 2>/dev/null | version)"
    fact docker-store "$(limited docker info 2>/dev/null | sed -n 's/^ *Cluster [Ss]tore: //p')"
  fi
  for program in mesos-master mesos-agent mesos-slave; do
    if has "$program"; then fact mesos "$(limited "$program" --version 2>/dev/null | version)" && break; fi
  done
  if runs '(^|/)mesos-master( |$)'; then fact mesos-master running; fi
  if runs '(^|/)mesos-(agent|slave)( |$)'; then fact mesos-agent running; fi
  marathon=$(packaged marathon)
  if [ -z "$marathon" ] && runs 'mesosphere.marathon|marathon.*\.jar'; then
    marathon=$(ask http://127.0.0.1:8080/v2/info | sed -n 's/.*"version" *: *"\([^"]*\)".*/\1/p')
  fi
  fact marathon "$marathon"
  zookeeper=$(printf '%s\n' "$running" | sed -n '/QuorumPeerMain/s/.*zookeeper-\([0-9][0-9.]*[0-9]\)\.jar.*/\1/p' | first)
  fact zookeeper "${zookeeper:-$(packaged zookeeper mesosphere-zookeeper aventer-zookeeper)}"
  if runs QuorumPeerMain; then fact zookeeper-running yes; fi
  etcd=$(ask http://127.0.0.1:2379/version | sed -n 's/.*"etcdserver" *: *"\([^"]*\)".*/\1/p')
  if [ -n "$etcd" ]; then
    case "$(ask http://127.0.0.1:2379/v2/keys/)" in *'"node"'*) fact etcd-v2 yes ;; *) fact etcd-v2 no ;; esac
  elif has etcd; then etcd=$(limited etcd --version 2>/dev/null | version); fi
  fact etcd "$etcd"
  if has docker; then
    image=$(limited docker ps --format '{{.Image}}' 2>/dev/null | grep -E '(^|/)calico/node:' | first)
    fact calico-node "$(printf '%s' "${image##*:}" | sed 's/^v//')"
  fi
  if has calicoctl; then fact calicoctl "$(limited calicoctl version 2>/dev/null | version)"; fi
}

# Which containerizers agents are told, wherever that is said.
containerizers() {
  for folder in /etc/mesos-agent /etc/mesos-slave; do
    [ ! -f "$folder/containerizers" ] || echo "containerizers=$folder/containerizers $(tr -d ' \n' <"$folder/containerizers")"
  done
  for path in /etc/default/mesos /etc/default/mesos-agent /etc/default/mesos-slave; do
    value=$(sed -n 's/^\(export \)\{0,1\}MESOS_CONTAINERIZERS=//p' "$path" 2>/dev/null | tail -n 1 | tr -d "\"' ")
    [ -z "$value" ] || echo "containerizers=$path $value"
  done
  value=$(printf '%s\n' "$running" | sed -n '/mesos-\(agent\|slave\) /s/.*--containerizers=\([^ ]*\).*/\1/p' | first)
  [ -z "$value" ] || echo "containerizers=command-line $value"
}

os
modules
settings
room
network
listeners
software
containerizers
fact stamp "$(file /var/lib/mesos-calico/stamp)"
fact existing "$(file /var/lib/mesos-calico/existing)"
echo "end=survey"
exit 0

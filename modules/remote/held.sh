#!/bin/sh
# What the processes of Calico and etcd hold, of those in the host's own network. Only reads. One process a line:
# `held NAME KIB FILES`; the last line is `all`.
LC_ALL=C
own=$(readlink /proc/self/ns/net)
for folder in /proc/[0-9]*; do
  name=
  read -r name <"$folder/comm" || continue
  case $name in
    calico-felix | bird | bird6 | confd | etcd) ;;
    # The kernel keeps fifteen letters of a name.
    libnetwork-plug*) name=libnetwork-plugin ;;
    *) continue ;;
  esac
  [ "$(readlink "$folder/ns/net")" = "$own" ] || continue
  memory=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "$folder/status") || continue
  # Of a process that has just ended nothing is said.
  [ -z "$memory" ] || echo "held $name $memory $(ls "$folder/fd" | wc -l)"
done 2>/dev/null
echo all

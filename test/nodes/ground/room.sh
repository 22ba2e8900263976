#!/bin/sh
# The first process of a room: namespaces of its own for mounts, network and processes, with a bridge for the nodes.
#   room.sh NAME ADDRESS/PREFIX NODE…
# It lives until its standard input ends, which is when the test that opened it ends, however it does. With it the kernel
# ends all that is in the room; only the cgroups have to be removed by hand.
set -eu
trap '' INT TERM HUP

name=$1 address=$2
shift 2

mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/lock /run/room
# Sparse: it only takes what the nodes write.
mount -t tmpfs -o mode=755,size=75% tmpfs /run/room

ip link set lo up
ip link add ground type bridge
ip addr add "$address" dev ground
ip link set ground up
# Frames on the bridge are no business of this namespace's iptables.
if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables; fi

# Every hierarchy of cgroup v1, or the only one of v2.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  hierarchies=/sys/fs/cgroup
else
  hierarchies=$(find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d)
fi

for hierarchy in $hierarchies; do
  above=$hierarchy
  for folder in "$hierarchy/$name" $(printf "$hierarchy/$name/%s " "$@"); do
    mkdir "$folder"
    # A cpuset without processors takes no process.
    for file in cpuset.cpus cpuset.mems; do
      if [ -e "$folder/cgroup.clone_children" ] && [ -e "$folder/$file" ]; then cat "$above/$file" >"$folder/$file"; fi
    done
    if [ -e "$folder/cpuset.mems" ] && [ -e "$folder/cgroup.clone_children" ]; then echo 1 >"$folder/cgroup.clone_children"; fi
  done
  if [ -e "$hierarchy/$name/cgroup.subtree_control" ]; then
    for controller in $(cat "$hierarchy/$name/cgroup.controllers"); do
      echo "+$controller" >"$hierarchy/$name/cgroup.subtree_control" || :
    done
  fi
done

echo ready
cat >/dev/null

# All but this process.
kill -KILL -1 2>/dev/null || :
tries=0
while [ $tries -lt 100 ]; do
  left=
  for hierarchy in $hierarchies; do
    if [ -d "$hierarchy/$name" ]; then find "$hierarchy/$name" -depth -type d -exec rmdir {} + 2>/dev/null || left=1; fi
  done
  if [ -z "$left" ]; then exit 0; fi
  tries=$((tries + 1))
  sleep 0.1
done

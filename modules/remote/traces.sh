#!/bin/sh
# What tasks leave in the kernel of a host. Only reads. One thing a line: `link NAME`, `route TEXT`, `member SET MEMBER`; the
# last line is `all`, or `failed` and why.
LC_ALL=C
export LC_ALL
PATH=/opt/bin:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin

# Felix fills sets of this kernel; the program to show them is on the host, or with Felix.
sets() {
  if command -v ipset >/dev/null 2>&1 && timeout 20 ipset save 2>/dev/null; then return 0; fi
  timeout 20 docker exec calico-node ipset save 2>/dev/null
}

links=$(timeout 20 ip -o link show) || { echo 'failed ip does not tell the interfaces'; exit 0; }
routes=$(timeout 20 ip -4 route show table main) || { echo 'failed ip does not tell the routes'; exit 0; }
members=$(sets) || { echo 'failed there is no ipset, neither on this host nor in calico-node, that tells the sets'; exit 0; }
echo "$links" | sed -n 's/^[0-9]*: \([^:@ ]*\)[@:].*/link \1/p'
echo "$routes" | sed -n 's/^\(..*\)$/route \1/p'
echo "$members" | sed -n 's/^add \([^ ]*\) \([^ ]*\).*/member \1 \2/p'
echo all

#!/bin/bash
# Starts Mesos with a flag for each file of a folder, as the wrapper in Mesos' own packages does: the file `quorum` that
# holds 2 is --quorum=2, and an empty `?no-strict` is --no-strict.
#   mesos-start PROGRAM FLAG FOLDER      FLAG is what the program calls the address in /etc/mesos/zk
set -euo pipefail

program=$1 flag=$2 folder=$3
flags=()

if [[ -s /etc/mesos/zk ]]; then
  flags+=("--$flag=$(</etc/mesos/zk)")
fi
for path in "$folder"/*; do
  name=${path##*/}
  case $name in
    # A copy that an editor or a package manager has left is no flag.
    *[!a-z0-9_?-]*) continue ;;
  esac
  [[ -f $path ]] || continue
  if [[ $name == \?* ]]; then
    flags+=("--${name#\?}")
  else
    flags+=("--$name=$(<"$path")")
  fi
done

exec "$program" "${flags[@]}"

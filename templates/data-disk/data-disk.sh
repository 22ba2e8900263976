#!/bin/bash
# Mounts the disk with the label `data`. Where there is none, the one blank disk becomes it; a disk that holds anything,
# known or not, is never written to.
#   data-disk FOLDER SECONDS PATTERN…       looks at the disks that match a pattern, for so many seconds
set -euo pipefail

folder=$1 seconds=$2 label=data
shift 2

if mountpoint --quiet "$folder"; then
  exit 0
fi

# Disks that go with the machine when it stops are no place for data.
passing() {
  grep --quiet --no-messages 'Instance Storage' "/sys/block/${1##*/}/device/model"
}

# Without any signature (file system, partition table, RAID, LVM, LUKS), and nothing but zeros where one would begin.
blank() {
  local found
  found=$(wipefs --noheadings "$1") || return 1
  [[ -z $found && $(head --bytes=1M "$1" | tr --delete '\0' | wc --bytes) == 0 ]]
}

look() {
  local pattern device
  labelled=() blanks=() others=()
  while read -r device; do
    if passing "$device"; then
      others+=("$device goes with the machine")
    elif [[ $(blkid --probe --match-tag LABEL --output value "$device") == "$label" ]]; then
      labelled+=("$device")
    elif blank "$device"; then
      blanks+=("$device")
    else
      others+=("$device holds $(wipefs --noheadings --output TYPE "$device" | paste --serial --delimiters ' ')")
    fi
  done < <(for pattern in "$@"; do (compgen -G "$pattern" || true) | xargs --no-run-if-empty realpath; done | sort --unique)
}

for ((end = SECONDS + seconds; ; )); do
  look "$@"
  if ((${#labelled[@]} + ${#blanks[@]} > 0 || SECONDS >= end)); then
    break
  fi
  sleep 2
done

if ((${#labelled[@]} == 1)); then
  disk=${labelled[0]}
elif ((${#labelled[@]} > 1)); then
  echo "data-disk: several disks have the label $label: ${labelled[*]}" >&2
  exit 1
elif ((${#blanks[@]} == 1)); then
  disk=${blanks[0]}
  echo "data-disk: $disk is blank and becomes the data disk"
  mkfs.ext4 -q -L "$label" "$disk"
elif ((${#blanks[@]} > 1)); then
  echo "data-disk: several disks are blank, and any of them could be meant: ${blanks[*]}" >&2
  exit 1
else
  echo "data-disk: no disk has the label $label, and none is blank" >&2
  printf 'data-disk: %s\n' "${others[@]:-no disk at all matches $*}" >&2
  exit 1
fi

# Exit code 1 means that it found something and mended it. A whole check is what resize2fs asks for.
e2fsck -f -p "$disk" || (($? == 1))
# Follows a volume that has been made larger; one that stays as small as it was is better than none.
if ! said=$(resize2fs "$disk" 2>&1); then
  echo "data-disk: $disk keeps its size: $said" >&2
fi
mkdir -p "$folder"
mount -t ext4 -o noatime "$disk" "$folder"

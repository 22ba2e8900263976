#!/bin/bash
# Takes the library out of the RPM beside this script, from whatever folder it is packed in. Not by yum: it is tagged i386,
# and would bring a second set of libraries.
set -euo pipefail

name=libmesos_network_isolator
folder=$(cd "$(dirname "$0")" && pwd)

if [[ $folder/$name.so -nt $folder/net-modules.rpm ]]; then
  exit 0
fi

rm -rf "$folder/unpacked"
mkdir "$folder/unpacked"
(cd "$folder/unpacked" && rpm2cpio "$folder/net-modules.rpm" | cpio --quiet --extract --make-directories)

# Whatever the tag says, the first bytes of a program tell what it is for.
amd64() {
  [[ $(od --address-radix=n --format=x1 --read-bytes=20 "$1" | tr --delete ' \n') == 7f454c4602*3e00 ]]
}

while IFS= read -r found; do
  if amd64 "$found"; then
    install -m 0755 "$found" "$folder/$name.so.new"
    mv "$folder/$name.so.new" "$folder/$name.so"
    rm -rf "$folder/unpacked"
    echo "unpack: $name.so is ${found#"$folder/unpacked"}"
    exit 0
  fi
  echo "unpack: ${found#"$folder/unpacked"} is not for this kind of machine" >&2
done < <(find -L "$folder/unpacked" -type f \( -name "$name.so" -o -name "$name-*.so" \) | sort)

echo "unpack: net-modules.rpm has no $name.so that this machine could load" >&2
exit 1

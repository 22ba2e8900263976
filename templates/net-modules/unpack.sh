#!/bin/bash
# Takes the library out of the RPM beside this script, from whatever folder it is packed in.
#   unpack IMAGE       an image that has rpm, and rpm2cpio with cpio or not
set -euo pipefail

image=$1 name=libmesos_network_isolator
folder=$(cd "$(dirname "$0")" && pwd)

if [[ $folder/$name.so -nt $folder/net-modules.rpm ]]; then
  exit 0
fi

rm -rf "$folder/unpacked"
mkdir "$folder/unpacked"
"${DOCKER:-/opt/bin/docker}" run --rm --net=none --volume="$folder:$folder" --workdir="$folder/unpacked" \
  --entrypoint=/bin/sh "$image" -ec "
  if command -v rpm2cpio && command -v cpio; then
    rpm2cpio '$folder/net-modules.rpm' | cpio --extract --make-directories
  else
    rpm --root='$folder/unpacked' --install --nodeps --noscripts '$folder/net-modules.rpm'
  fi" >&2

# The RPM is tagged i386, whatever it holds: the first bytes of a program tell what it is for.
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

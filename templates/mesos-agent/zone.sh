#!/bin/bash
# Asks the cloud in which zone this machine is, a minute long at most, and writes it down for the agent of Mesos: an agent
# that comes back with other attributes than it had is refused.
#   zone aws|gce FILE
set -euo pipefail

cloud=$1 file=$2
patience=${ZONE_SECONDS:-60}

ask() {
  curl --silent --fail --noproxy '*' --max-time 5 "$@"
}

zone() {
  local base token
  case $cloud in
    aws)
      base=${METADATA_URL:-http://169.254.169.254}/latest
      token=$(ask --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$base/api/token") &&
        ask --header "X-aws-ec2-metadata-token: $token" "$base/meta-data/placement/availability-zone"
      ;;
    gce)
      base=${METADATA_URL:-http://metadata.google.internal}/computeMetadata/v1
      # projects/123/zones/us-central1-a
      ask --header 'Metadata-Flavor: Google' "$base/instance/zone" | sed 's|.*/||'
      ;;
    *) return 2 ;;
  esac
}

until name=$(zone) && [[ $name =~ ^[a-z0-9-]+$ ]]; do
  if ((SECONDS >= patience)); then
    echo "zone: the metadata of $cloud do not tell this machine its zone" >&2
    exit 1
  fi
  sleep 1
done
mkdir -p "$(dirname "$file")"
echo "ZONE=$name" >"$file.new"
mv "$file.new" "$file"

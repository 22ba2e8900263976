#!/bin/bash
# Runs a command until it ends well: retry PAUSE COMMAND…. systemd before 244 does not start a oneshot unit again.
set -euo pipefail

pause=$1
shift
until "$@"; do
  sleep "$pause"
done

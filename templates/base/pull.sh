#!/bin/bash
# Pulls an image unless it is there: a node that starts again needs no registry.
#   pull IMAGE
set -euo pipefail

if ! {{docker}} inspect --type image "$1" >/dev/null 2>&1; then
  exec {{docker}} pull "$1"
fi

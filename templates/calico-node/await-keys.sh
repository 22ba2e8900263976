#!/bin/bash
# Waits until etcd has all these keys, four minutes at most. @ in a key stands for the name of this host.
#   await-keys URL,URL… KEY…
set -euo pipefail

IFS=, read -ra urls <<<"$1"
shift
patience=${AWAIT_SECONDS:-240}

# The first answer that is one, as an HTTP status; 000 where nobody answers.
status() {
  local url answer
  for url in "${urls[@]}"; do
    answer=$(curl --silent --noproxy '*' --max-time 5 --output /dev/null --write-out '%{http_code}' "$url/v2/keys$1") || true
    if [[ $answer == 200 || $answer == 404 ]]; then
      echo "$answer"
      return
    fi
  done
  echo "${answer:-000}"
}

for key in "$@"; do
  key=${key//@/$(uname -n)}
  until answer=$(status "$key") && [[ $answer == 200 ]]; do
    if ((SECONDS >= patience)); then
      if [[ $answer == 404 ]]; then
        echo "await-keys: etcd has no $key after $patience seconds" >&2
      else
        echo "await-keys: no etcd at ${urls[*]} answers as one (HTTP $answer), so $key is not known" >&2
      fi
      exit 1
    fi
    sleep 1
  done
done

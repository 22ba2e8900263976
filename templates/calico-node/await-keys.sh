#!/bin/bash
# Waits until etcd has all these keys, four minutes at most. @ in a key stands for the name of this host.
#   await-keys URL,URL… KEY…
set -euo pipefail

IFS=, read -ra urls <<<"$1"
shift
patience=${AWAIT_SECONDS:-240}

# there, missing, or the HTTP status of the last that does not answer as etcd's v2 API does: 000 where nobody listens.
look() {
  local url answer
  for url in "${urls[@]}"; do
    answer=$(curl --silent --noproxy '*' --max-time 5 --write-out ' %{http_code}' "$url/v2/keys$1") || true
    case $answer in
      '{"action":"get",'*' 200') echo there && return ;;
      '{"errorCode":100,'*' 404') echo missing && return ;;
    esac
  done
  echo "${answer##* }"
}

for key in "$@"; do
  key=${key//@/$(uname -n)}
  until found=$(look "$key") && [[ $found == there ]]; do
    if ((SECONDS >= patience)); then
      if [[ $found == missing ]]; then
        echo "await-keys: etcd has no $key after $patience seconds" >&2
      else
        echo "await-keys: no etcd at ${urls[*]} answers (HTTP $found), so $key is not known" >&2
      fi
      exit 1
    fi
    sleep 1
  done
done

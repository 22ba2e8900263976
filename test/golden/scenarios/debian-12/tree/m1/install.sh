#!/bin/bash
# The node m1 (master) of the cluster debian-12, for debian-12. Run it as root; --help says more.
set -euo pipefail

node=m1 cluster=debian-12 address=10.80.0.11
os=debian-12 family=debian major=12 manager=apt python=/usr/bin/python3
upgrade=no
only=()

# What follows is the same in every script. State of this host: which files we wrote, what they were before, and what has
# still to start anew.
state=/var/lib/mesos-calico
manifest=$state/manifest
patience=300
mode=apply # look: nothing is changed, and what stands in the way is gathered
dry=no
replace=no
touched=no
refusals=0
notes=()
changes=()
pending= # what a dry run would start anew

usage() {
  cat <<END
Makes this host the node $node of the cluster $cluster. Run again, it changes what differs and nothing else.
  --dry-run        say what would change, and change nothing
  --replace        replace files that somebody else wrote; a copy of each is kept in $state/backup
  --wait SECONDS   how long services have to come up; 300 where it is left out, 0: do not wait
  --uninstall      take off what this script has put on, and put back what was there before
Exit code 0: done. 1: something stands in the way, or failed. 2: wrong words. 3: done, and a service is not up yet.
END
}

say() { printf '  %s\n' "$*"; }
note() { notes+=("$*") && say "note: $*"; }
fail() {
  printf '  failed: %s\n' "$*" >&2
  exit 1
}
refuse() {
  refusals=$((refusals + 1))
  printf '  refused: %s\n' "$*" >&2
}
# Says what is changed, or would be; true where it has to be done.
change() {
  touched=yes
  if [[ $dry == yes ]]; then
    say "would change: $*"
    return 1
  fi
  say "changed: $*"
}

sum() { sha256sum <"$1" | cut -c 1-64; }
# Up, or on its way: one that waits for another node needs no second push.
coming() { [[ $(systemctl is-active "$1") =~ ^(active|activating|reloading)$ ]]; }
active() { systemctl is-active --quiet "$1"; }

# A line of the manifest, once. It is there before what it speaks of is done.
remember() {
  if [[ $mode == apply && $dry == no ]] && ! remembers "$1"; then
    printf '%s\n' "$1" >>"$manifest"
  fi
}
remembers() { [[ -f $manifest ]] && grep --quiet --fixed-strings --line-regexp -- "$1" "$manifest"; }

# These units start anew at the end, also when this run is cut short before.
pend() {
  local unit
  if [[ $dry == yes ]]; then
    pending+=" $* "
    return
  fi
  mkdir -p "$state/pending"
  for unit in "$@"; do : >"$state/pending/$unit"; done
}

# A copy of a file before it is changed. The manifest says which one is from before us.
backup() {
  local copy=$state/backup$1 number=1
  while [[ -e $copy.$number ]]; do
    if cmp --silent "$1" "$copy.$number"; then
      break
    fi
    number=$((number + 1))
  done
  if [[ -z $(last_word "$1") && ! -e $state/merged$1 ]]; then
    remember "original $copy.$number $1"
  fi
  if [[ -e $copy.$number ]]; then return; fi
  mkdir -p "${copy%/*}"
  cp --preserve=all "$1" "$copy.$number.new" 2>/dev/null || cp -p "$1" "$copy.$number.new"
  mv "$copy.$number.new" "$copy.$number"
  say "kept a copy: $copy.$number"
}

# Whether the manifest speaks of a file already.
last_word() { awk -v path="$1" '($1 == "file" && $3 == path) || ($1 == "merged" && $2 == path) { print; exit }' "$manifest" 2>/dev/null || true; }
original_of() { awk -v path="$1" '$1 == "original" && $3 == path { print $2; exit }' "$manifest" 2>/dev/null || true; }

label() {
  if command -v restorecon >/dev/null && selinuxenabled 2>/dev/null; then
    restorecon "$1"
  fi
}

# Puts a file in its place at one stroke: write PATH MODE FROM
write() {
  mkdir -p "${1%/*}"
  cp "$3" "$1.mesos-calico-new"
  chmod "$2" "$1.mesos-calico-new"
  chown root:root "$1.mesos-calico-new"
  mv -f "$1.mesos-calico-new" "$1"
  label "$1"
}

same() { [[ -f $1 && ! -L $1 && $(stat --format %a "$1") == "$2" ]] && cmp --silent "$1" "$3"; }

# A file that is ours alone, from standard input: file PATH MODE [UNIT…]
file() {
  local path=$1 bits=$2 wanted=$scratch/wanted
  shift 2
  cat >"$wanted"
  if same "$path" "$bits" "$wanted"; then
    return
  fi
  if [[ -e $path || -L $path ]] && ! remembers "file $(sum "$path" 2>/dev/null || true) $path" && ! cmp --silent "$path" "$wanted"; then
    if [[ $replace == no ]]; then
      if [[ $mode == look ]]; then
        refuse "$path is not as this script left it, or is somebody else's; --replace takes ours, and keeps a copy"
        diff --unified "$path" "$wanted" | sed -e 's/^/    /' -e '1,2d' >&2 || true
      fi
      return
    fi
    if [[ $mode == apply && $dry == no ]]; then
      backup "$path"
    fi
  fi
  if [[ $mode == look ]]; then
    return
  fi
  change "$path" || { pend "$@" && return 0; }
  pend "$@"
  remember "file $(sum "$wanted") $path"
  write "$path" "$bits" "$wanted"
}

merge() {
  "$python" - "$@" <<'PYTHON'
# -*- coding: utf-8 -*-
# Puts what is ours into what stands in a file, or takes it out again, and prints the result. Python 2.7 and 3.
#   merge.py put|take FILE OURS BEFORE json|list WORD...
# OURS is our part; BEFORE is our part as it was put in last time, and may be missing, as FILE may.
# json: WORDs are the keys that may not have another value than ours, and A+B are keys that only make sense together: where
# somebody has one of them, all of them are theirs. list: WORDs are OURS=THEIRS, who cannot be together.
# Exit code 3: the two cannot go together, and stderr says why.
from __future__ import print_function
import io
import json
import os
import sys
from collections import OrderedDict


def read(path):
    if not os.path.exists(path):
        return None
    with io.open(path, encoding="utf-8") as file:
        return file.read()


def refuse(why):
    sys.stderr.write(why + "\n")
    sys.exit(3)


def as_object(text, path):
    if text is None or text.strip() == "":
        return OrderedDict()
    try:
        found = json.loads(text, object_pairs_hook=OrderedDict)
    except ValueError as error:
        refuse("%s is no JSON: %s" % (path, error))
    if not isinstance(found, dict):
        refuse("%s is no JSON object" % path)
    return found


def put_object(theirs, ours, before, must):
    for group in [word.split("+") for word in must if "+" in word]:
        if any(key in theirs and theirs[key] not in (before.get(key), ours.get(key)) for key in group):
            ours = OrderedDict((key, value) for key, value in ours.items() if key not in group)
    for key, value in ours.items():
        if key not in theirs or theirs[key] == before.get(key, theirs):
            theirs[key] = value
        elif theirs[key] != value and key in must:
            refuse("%s is %s, and has to be %s" % (key, json.dumps(theirs[key]), json.dumps(value)))
    return drop(theirs, before, ours)


def drop(theirs, before, ours):
    for key, value in before.items():
        if key not in ours and theirs.get(key) == value:
            del theirs[key]
    return theirs


def as_list(text):
    return [word.strip() for word in (text or "").split(",") if word.strip() != ""]


def put_list(theirs, ours, before, instead):
    gone = [instead[word] for word in ours if word in instead]
    gone += [word for word in before if word not in ours]
    kept = [word for word in theirs if word not in gone]
    return kept + [word for word in ours if word not in kept]


def main():
    way, path, ours_path, before_path, kind = sys.argv[1:6]
    words = sys.argv[6:]
    text, ours, before = read(path), read(ours_path), read(before_path)
    if kind == "json":
        theirs = as_object(text, path)
        if way == "put":
            known = json.dumps(theirs)
            merged = put_object(theirs, as_object(ours, ours_path), as_object(before, before_path), words)
            # What is right already keeps its own form.
            if text is not None and text.strip() != "" and json.dumps(merged) == known:
                return text
        else:
            merged = drop(theirs, as_object(ours, ours_path), {})
        return (json.dumps(merged, indent=2, separators=(",", ": ")) + "\n") if merged else ""
    instead = dict(word.split("=", 1) for word in words)
    if way == "put":
        merged = put_list(as_list(text), as_list(ours), as_list(before), instead)
    else:
        mine = as_list(ours)
        merged = [word for word in as_list(text) if word not in mine]
    return ",".join(merged) + "\n" if merged else ""


result = main()
(sys.stdout.buffer if hasattr(sys.stdout, "buffer") else sys.stdout).write(result.encode("utf-8"))
PYTHON
}

# Comes with the tools, before any of these files is written.
merge_needs_python() {
  if "$python" -c 'import json' 2>/dev/null; then return; fi
  [[ $mode == look || $dry == yes ]] || fail "$python is not there"
  return 1
}

# What a service of somebody else is told of a flag by its environment, which a file of ours would go before.
told() {
  local name=MESOS_${1^^} path
  {
    for path in /etc/default/mesos /etc/default/mesos-agent /etc/default/mesos-slave; do
      sed --quiet --regexp-extended "s/^(export )?$name=//p" "$path" 2>/dev/null || true
    done
    { systemctl cat "$2" 2>/dev/null || true; } | sed --quiet --regexp-extended "s/^Environment=.*$name=([^ ]*).*/\1/p"
  } | tail --lines=1 | tr --delete "\"' "
}
# The same of its command line, which goes before all files.
flagged() {
  { systemctl cat "$2" 2>/dev/null || true; } | sed --quiet --regexp-extended "s/^[^#]*--$1=([^ ]*).*/\1/p" |
    tail --lines=1 | tr --delete "\"' "
}

# A file of which a part is ours, from standard input: merged PATH MODE UNITS KIND [WORD…]; UNITS may be several, or none.
# theirs=UNIT before it: the file is a flag of a service that somebody else has set up, who may have said it elsewhere, too.
merged() {
  local path=$1 bits=$2 units=$3 ours=$scratch/ours wanted=$scratch/wanted from=$1 before seed flag
  shift 3
  before=$state/merged$path
  seed=$state/seed$path
  cat >"$ours"
  if [[ -n ${theirs:-} ]]; then
    flag=$(flagged "${path##*/}" "$theirs")
    merge_needs_python || return 0
    if [[ -n $flag ]]; then
      printf '%s\n' "$flag" >"$scratch/theirs"
      merge put "$scratch/theirs" "$ours" /dev/null "$@" >"$wanted"
      if ! cmp --silent "$scratch/theirs" "$wanted" && [[ $mode == look ]]; then
        refuse "$theirs starts with --${path##*/}=$flag, which goes before $path, and has to be --${path##*/}=$(<"$wanted")"
        return
      fi
    fi
    if [[ ! -e $path ]]; then
      told "${path##*/}" "$theirs" >"$scratch/theirs"
      if [[ -s $scratch/theirs ]]; then from=$scratch/theirs; fi
    fi
  fi
  if [[ ! -e $from ]]; then
    cp "$ours" "$wanted"
  elif ! merge_needs_python; then
    return 0
  elif ! merge put "$from" "$ours" "$before" "$@" >"$wanted" 2>"$scratch/why"; then
    if [[ $mode == look ]]; then
      refuse "$path: $(<"$scratch/why")"
      diff --unified "$path" "$ours" | sed -e 's/^/    /' -e '1,2d' >&2 || true
      return
    fi
    [[ $dry == yes ]] || fail "$path: $(<"$scratch/why")"
    return
  fi
  if [[ $mode == look ]]; then
    return
  fi
  if ! cmp --silent "$path" "$wanted"; then
    # Word splitting is meant: units are words.
    # shellcheck disable=SC2086
    change "$path" || { pend $units && return 0; }
    # shellcheck disable=SC2086
    pend $units
    if [[ -e $path ]]; then
      backup "$path"
      bits=$(stat --format %a "$path")
    fi
    remember "merged $path $*"
    if [[ $from == "$scratch/theirs" ]]; then
      # What the file began with, though there was none: it goes when ours does.
      mkdir -p "${seed%/*}"
      cp "$from" "$seed.new"
      mv "$seed.new" "$seed"
    fi
    write "$path" "$bits" "$wanted"
  fi
  if [[ $dry == no ]] && ! cmp --silent "$ours" "$before"; then
    mkdir -p "${before%/*}"
    cp "$ours" "$before.new"
    mv "$before.new" "$before"
  fi
}

# --- packages ---------------------------------------------------------------------------------------------------------

# Runs a program with the proxy of the cluster, which no service of this host gets to see.
proxied() (
  if [[ -f /etc/mesos-calico/proxy.env ]]; then
    set -a
    # shellcheck source=/dev/null
    . /etc/mesos-calico/proxy.env
  fi
  "$@"
)

# The version of a package that is there, without epoch and the distribution's own part; nothing where it is not.
version_of() {
  case $manager in
    apt) dpkg-query --show --showformat '${db:Status-Abbrev}${Version}\n' "$1" 2>/dev/null | sed --quiet 's/^.i *\([0-9]*:\)\?//p' ;;
    *) rpm --query --queryformat '%{VERSION}\n' "$1" 2>/dev/null | grep --invert-match 'not installed' | head --lines=1 ;;
  esac || true
}
is_version() { [[ -z $2 || $1 == "$2" || $1 == "$2"[-+~.]* || $1 == "${2%%-*}" ]]; }

# Whether what is there will do: package NAME VERSION|'' HOLD|''
wants=()
held=()
package() {
  local name=$1 version=$2 there
  there=$(version_of "$name")
  if [[ -n $3 ]]; then held+=("$name"); fi
  if [[ -n $there ]] && is_version "$there" "$version"; then
    return
  fi
  if [[ -n $there && $upgrade == no && $mode == look ]]; then
    refuse "the package $name is $there, and this cluster needs $version; upgrade: true in the description lets this script change it"
  fi
  wants+=("$name${version:+=$version}${there:+ over $there}")
}

policy=/usr/sbin/policy-rc.d
forbid_starts() {
  # Debian starts services as it unpacks them. Ours start at the end, with all that they need.
  if [[ $manager == apt && ! -e $policy ]]; then
    printf '#!/bin/sh\n# mesos-calico, while it installs packages\nexit 101\n' >"$policy.new"
    chmod 755 "$policy.new"
    mv "$policy.new" "$policy"
  fi
}
allow_starts() {
  if [[ -f $policy ]] && grep --quiet mesos-calico "$policy"; then
    rm -f "$policy"
  fi
}

# install WORD…: names, NAME=VERSION, paths of files
install_packages() {
  local word words=()
  forbid_starts
  case $manager in
    apt)
      export DEBIAN_FRONTEND=noninteractive
      # Ends what a run that was cut short has begun.
      dpkg --configure -a --force-confold >&2 || true
      for word in "$@"; do
        if [[ $word == *=* && $word != /* ]]; then word="$word*"; fi
        words+=("$word")
      done
      if [[ $fresh == no ]]; then
        proxied apt-get "${patient[@]}" update >&2 || note "apt-get update failed; what it knew before is used"
        fresh=yes
      fi
      proxied apt-get "${patient[@]}" --option Dpkg::Options::=--force-confold --yes --no-install-recommends \
        --allow-downgrades --allow-change-held-packages install "${words[@]}" >&2 ||
        fail "apt-get could not install ${words[*]}; what it said stands above"
      ;;
    *)
      for word in "$@"; do
        if [[ $word != /* ]]; then word=${word/=/-}; fi
        words+=("$word")
      done
      # yum calls it an error when there is nothing to do; what is there is looked at afterwards.
      proxied "$manager" --assumeyes "${only[@]}" install "${words[@]}" >&2 || say "$manager ended with $?"
      # Where a later version is there, install leaves it.
      for word in "${words[@]}"; do
        if [[ $word != /* ]] && ! rpm --query "$word" >/dev/null 2>&1; then
          proxied "$manager" --assumeyes "${only[@]}" downgrade "$word" >&2 || true
        fi
      done
      ;;
  esac
  allow_starts
}
fresh=no
patient=(--option DPkg::Lock::Timeout=300 --option Acquire::Retries=3 --option Acquire::http::Timeout=60)

# Does what `package` has gathered.
settle_packages() {
  local word name there wanted words=() added=()
  if [[ $mode == look ]]; then
    wants=()
    return
  fi
  if ((${#wants[@]} > 0)); then
    if change "packages ${wants[*]}"; then
      for word in "${wants[@]}"; do
        words+=("${word%% *}")
        name=${word%% *}
        if [[ $word != *" over "* ]]; then added+=("${name%%=*}"); fi
      done
      for name in "${added[@]}"; do remember "package $name"; done
      install_packages "${words[@]}"
      for word in "${words[@]}"; do
        name=${word%%=*}
        if [[ $word == *=* ]]; then wanted=${word#*=}; else wanted=; fi
        there=$(version_of "$name")
        [[ -n $there ]] || fail "the package $name could not be installed; what the package manager said stands above"
        is_version "$there" "$wanted" || fail "the package $name is $there, and $wanted could not be installed"
      done
    fi
    wants=()
  fi
}

# A package from a file that is downloaded: package_file NAME URL SHA256 HOLD|''
package_file() {
  local name=$1 url=$2 path=$state/packages/${2##*/}
  if [[ $mode == look ]]; then
    return
  fi
  if [[ -n $4 ]]; then held+=("$name"); fi
  if [[ -n $(version_of "$name") ]] && { [[ -f $state/installed/$name && $(<"$state/installed/$name") == "$url $3" ]] || ! remembers "package $name"; }; then
    return
  fi
  change "package $name from $url" || return 0
  /opt/mesos-calico/fetch "$url" "$3" file "$path" >&2 || fail "$url could not be had"
  if [[ -z $(version_of "$name") ]]; then remember "package $name"; fi
  install_packages "$path"
  [[ -n $(version_of "$name") ]] || fail "$path was installed, and there is no package $name"
  mkdir -p "$state/installed"
  printf '%s\n' "$url $3" >"$state/installed/$name"
}

# No upgrade of the whole system takes these along.
hold_packages() {
  local name
  if [[ $mode == look ]]; then return; fi
  for name in "${held[@]}"; do
    if is_held "$name"; then continue; fi
    change "hold of $name" || continue
    remember "held $name"
    case $manager in
      apt) apt-mark hold "$name" >/dev/null ;;
      *) proxied "$manager" --quiet --assumeyes "${only[@]}" versionlock add "$name" >/dev/null ;;
    esac
  done
  held=()
}
is_held() {
  local list
  case $manager in
    apt) list=$(apt-mark showhold 2>/dev/null) && grep --quiet --line-regexp --fixed-strings "$1" <<<"$list" ;;
    *) list=$("$manager" --quiet "${only[@]}" versionlock list 2>/dev/null) && grep --quiet --extended-regexp "(^|:)$1-([0-9]+:)?[0-9]" <<<"$list" ;;
  esac
}

# download WHAT ARGUMENT…: those of fetch, which says nothing where it is done
download() {
  local what=$1 said
  shift
  if [[ $mode == look ]]; then return; fi
  if [[ $dry == yes ]]; then
    if ! downloaded "$@"; then change "download of $what from $1" || true; fi
    return
  fi
  remember_download "$@"
  said=$(/opt/mesos-calico/fetch "$@") || fail "$what could not be had from $1"
  if [[ -n $said ]]; then change "download of $what from $1"; fi
}
remember_download() {
  local kind=$3 target=$4 member
  shift 4
  if [[ $kind == tar ]]; then
    for member in "$@"; do remember "download $target/${member##*/}"; done
  else
    remember "download $target"
  fi
}
downloaded() {
  local mark wanted="$1 $2" kind=$3 target=$4 member
  shift 4
  mark=/opt/mesos-calico/fetched/$(printf '%s' "$kind $target $*" | sha256sum | cut -c 1-16)
  [[ -f $mark && $(<"$mark") == "$wanted" ]] || return 1
  if [[ $kind != tar ]]; then
    [[ -x $target ]]
    return
  fi
  for member in "$@"; do [[ -x $target/${member##*/} ]] || return 1; done
}

# --- kernel, SELinux, firewalld ---------------------------------------------------------------------------------------

module() {
  local folder=/sys/module/${1//-/_}
  if [[ $mode == look || -d $folder ]] || grep --quiet builtin <<<"$(modinfo --field filename "$1" 2>/dev/null)"; then
    return
  fi
  # What cannot be loaded is no change, neither said nor done.
  if command -v modprobe >/dev/null && ! modprobe --dry-run "$1" 2>/dev/null; then
    note "this kernel has no module $1, which Calico needs"
    return
  fi
  change "kernel module $1" || return 0
  modprobe "$1" 2>/dev/null || note "the module $1, which Calico needs, cannot be loaded here"
}

# Sets it, or in a dry run asks the kernel whether it would let us.
settable() {
  if [[ $dry == yes ]]; then
    [[ -w $1 ]]
  else
    { echo "$2" >"$1"; } 2>/dev/null
  fi
}

# setting KEY VALUE; a key that begins with - may be out of reach. A * in it is for the systemd of this host to fill in.
setting() {
  local key=${1#-} value=$2 path
  if [[ $mode == look ]]; then return; fi
  # Word splitting is meant: a * stands for every interface.
  # shellcheck disable=SC2046
  for path in $(compgen -G "/proc/sys/$(tr . / <<<"$key")"); do
    if [[ ! -e $path || $(<"$path") == "$value" ]]; then continue; fi
    if ! settable "$path" "$value"; then
      [[ $1 == -* ]] || fail "$path cannot be set to $value"
      note "$path cannot be set to $value here, and is left as it is"
      continue
    fi
    change "$(tr / . <<<"${path#/proc/sys/}") = $value" || true
  done
}

# Stays enforcing; these are the exceptions: what systemd starts of ours, and folders that tasks see in their containers.
fcontext() {
  if [[ $mode == look ]] || ! selinuxenabled 2>/dev/null; then return; fi
  if grep --quiet --fixed-strings "$2" <<<"$(semanage fcontext --list --locallist 2>/dev/null)"; then return; fi
  change "SELinux: $2 is $1" || return 0
  remember "fcontext $2"
  semanage fcontext --add --type "$1" "$2"
  if [[ -e ${2%%(*} ]]; then restorecon -R "${2%%(*}"; fi
}

firewall_running() { command -v firewall-cmd >/dev/null && active firewalld.service; }

# The state of firewalld in one call each: fire QUESTION… -- DO…
fire() {
  local ask=()
  while [[ $1 != -- ]]; do ask+=("$1") && shift; done
  shift
  if firewall-cmd --permanent "${ask[@]}" >/dev/null 2>&1; then return; fi
  change "firewalld ${*}" || return 0
  firewall-cmd --permanent "$@" >/dev/null
  : >"$state/firewalld-reload"
}
zone() {
  has_zone "$1" && return
  change "firewalld zone $1" || return 0
  remember "zone $1"
  firewall-cmd --permanent --new-zone="$1" >/dev/null
  : >"$state/firewalld-reload"
}
# Not in a pipe: grep ends at the first hit, and what still writes to it would fail.
has_zone() { grep --quiet --line-regexp --fixed-strings -- "$1" <<<"$(firewall-cmd --permanent --get-zones | tr ' ' '\n')"; }
# What is passed on to and from tasks: Calico's own rules say yes or no to it, and firewalld must not say no first.
passing() {
  local name=$1 from=$2 to=$3
  if ! grep --quiet --line-regexp --fixed-strings "$name" <<<"$(firewall-cmd --permanent --get-policies | tr ' ' '\n')"; then
    if change "firewalld policy $name"; then
      remember "policy $name"
      firewall-cmd --permanent --new-policy="$name" >/dev/null
      : >"$state/firewalld-reload"
    fi
  fi
  fire --policy="$name" --query-ingress-zone="$from" -- --policy="$name" --add-ingress-zone="$from"
  fire --policy="$name" --query-egress-zone="$to" -- --policy="$name" --add-egress-zone="$to"
  if [[ $(firewall-cmd --permanent --policy="$name" --get-target 2>/dev/null) != ACCEPT ]]; then
    change "firewalld policy $name accepts" || return 0
    firewall-cmd --permanent --policy="$name" --set-target=ACCEPT >/dev/null
    : >"$state/firewalld-reload"
  fi
}
gate() {
  case $2 in
    */*) fire --zone="$1" --query-port="$2" -- --zone="$1" --add-port="$2" ;;
    *) fire --zone="$1" --query-protocol="$2" -- --zone="$1" --add-protocol="$2" ;;
  esac
}
source_of() {
  fire --zone="$1" --query-source="$2" -- --zone="$1" --add-source="$2"
}
interface_of() {
  fire --zone="$1" --query-interface="$2" -- --zone="$1" --add-interface="$2"
}
reload_firewall() {
  if [[ -e $state/firewalld-reload && $dry == no ]]; then
    firewall-cmd --reload >/dev/null
    rm -f "$state/firewalld-reload"
  fi
}
mask_firewall() {
  if [[ $(systemctl is-enabled firewalld.service 2>/dev/null) == masked ]] && ! active firewalld.service; then return; fi
  if [[ ! -e /usr/lib/systemd/system/firewalld.service ]]; then return; fi
  change 'firewalld, masked' || return 0
  remember 'masked firewalld.service'
  systemctl mask --now firewalld.service >/dev/null 2>&1
}

# --- services ---------------------------------------------------------------------------------------------------------

# The units of this node, in the order of their start.
start_services() {
  local unit left=()
  if [[ $mode == look ]]; then return; fi
  if [[ -e $state/pending/daemon-reload && $dry == no ]]; then
    systemctl daemon-reload
    rm -f "$state/pending/daemon-reload"
  fi
  for unit in "$@"; do
    # A package may have enabled ours before we did.
    if [[ -f /etc/systemd/system/$unit ]]; then remember "unit $unit"; fi
    if ! systemctl is-enabled --quiet "$unit" 2>/dev/null; then
      if change "$unit, enabled"; then
        remember "unit $unit"
        systemctl enable --quiet "$unit"
      fi
    fi
  done
  # Without waiting: some wait for other nodes. What must start first does, since systemd has all their jobs at once. The
  # target comes last, or it would start what starts anew in the same moment.
  for unit in "$@"; do
    if [[ -e $state/pending/$unit || $pending == *" $unit "* ]]; then
      change "$unit, started anew" || continue
      systemctl restart --no-block "$unit"
      rm -f "$state/pending/$unit"
    elif ! coming "$unit"; then
      change "$unit, started" || continue
      systemctl start --no-block "$unit"
    fi
  done
  mapfile -t left < <(cd "$state/pending" 2>/dev/null && ls)
  if [[ $dry == yes ]]; then mapfile -t left < <(tr ' ' '\n' <<<"$pending" | sort --unique); fi
  for unit in "${left[@]}"; do
    if [[ -z $unit || $unit == daemon-reload ]] || { [[ $dry == yes ]] && wanted_unit "$unit" "$@"; }; then continue; fi
    if active "$unit"; then
      change "$unit, told of its new settings" || continue
      systemctl reload-or-restart --no-block "$unit"
    fi
    rm -f "$state/pending/$unit"
  done
}

wanted_unit() {
  local each
  for each in "${@:2}"; do [[ $each != "$1" ]] || return 0; done
  return 1
}

# Which of them are not up, after as long as they have.
await_services() {
  local unit end=$((SECONDS + patience)) down=()
  if [[ $mode == look || $dry == yes ]]; then return; fi
  while :; do
    down=()
    for unit in "$@"; do active "$unit" || down+=("$unit"); done
    if ((${#down[@]} == 0)); then return; fi
    if ((SECONDS >= end)); then break; fi
    sleep 2
  done
  if ((patience == 0)); then
    say "not waited for: ${down[*]}"
    return
  fi
  for unit in "${down[@]}"; do
    say "not up after $patience seconds: $unit"
    journalctl --unit "$unit" --lines 3 --no-pager --output cat 2>/dev/null | sed 's/^/    /' || true
  done
  late=yes
}
late=no

# --- this host --------------------------------------------------------------------------------------------------------

right_host() {
  local id version like
  ((EUID == 0)) || fail 'this script changes the whole host, and has to be run by root'
  [[ -d /run/systemd/system ]] || fail 'systemd does not run here'
  id=$(os_release ID) version=$(os_release VERSION_ID) like=$(os_release ID_LIKE)
  case $family in
    el) [[ " $id $like " =~ \ (rhel|centos|fedora|almalinux|rocky)\  && ${version%%.*} == "$major" ]] ;;
    *) [[ $id == "$family" && ${version%%.*} == "$major" ]] ;;
  esac || fail "this host runs $(os_release PRETTY_NAME), and the script is for $os; say os in the description"
  [[ $(uname -m) == x86_64 ]] || fail "this host is $(uname -m), and what the cluster runs is built for x86_64 only"
  if command -v ip >/dev/null && ! grep --quiet --fixed-strings " inet $address/" <<<"$(ip -4 -oneline address show)"; then
    fail "no interface of this host has the address $address, so it is not $node"
  fi
}
os_release() {
  # shellcheck source=/dev/null
  (. /etc/os-release && printf '%s' "${!1:-}")
}

# --- taking it off ----------------------------------------------------------------------------------------------------

uninstall() {
  local kind rest
  if [[ ! -f $manifest ]]; then
    echo "$node: nothing to take off, this script has put nothing on"
    return
  fi
  echo "step 1 of 4: services"
  tac "$manifest" >"$scratch/manifest"
  while read -r kind rest; do
    if [[ $kind == unit ]]; then take "$rest stopped and disabled" && { systemctl disable --now "$rest" >/dev/null 2>&1 || true; systemctl reset-failed "$rest" 2>/dev/null || true; }; fi
  done <"$scratch/manifest"
  echo "step 2 of 4: files"
  while read -r kind rest; do
    case $kind in
      file) take_file "${rest#* }" ;;
      merged) take_part "$rest" ;;
      download) take_download "$rest" ;;
    esac
  done <"$scratch/manifest"
  echo "step 3 of 4: firewall and SELinux"
  while read -r kind rest; do
    case $kind in
      zone) take "firewalld zone $rest" && { firewall-cmd --permanent --delete-zone="$rest" >/dev/null 2>&1 || true; } ;;
      policy) take "firewalld policy $rest" && { firewall-cmd --permanent --delete-policy="$rest" >/dev/null 2>&1 || true; } ;;
      masked) take "$rest is masked no more" && unmask "$rest" ;;
      fcontext) take "SELinux: $rest" && { semanage fcontext --delete "$rest" 2>/dev/null || true; } ;;
    esac
  done <"$scratch/manifest"
  if firewall_running && [[ $dry == no ]]; then firewall-cmd --reload >/dev/null; fi
  echo "step 4 of 4: packages"
  while read -r kind rest; do
    if [[ $kind == held ]]; then take "$rest is held no more" && release_package "$rest"; fi
  done <"$scratch/manifest"
  take_packages
  if [[ $dry == yes ]]; then return; fi
  systemctl daemon-reload
  rm -rf /opt/mesos-calico "$state/pending" "$state/merged" "$state/seed" "$state/packages" "$state/installed"
  rm -f "$manifest"
  echo "$node: taken off. Left as they are: data in /var/lib, copies in $state/backup, what packages brought along"
  echo "Services that were there before, and rules of iptables, go on with what they have until they start anew"
}
unmask() {
  systemctl unmask "$1" >/dev/null 2>&1
  systemctl start "$1" || note "$1 does not start"
}
take() { change "$*"; }
take_file() {
  local path=$1 original
  if [[ ! -e $path ]]; then return; fi
  if ! remembers "file $(sum "$path") $path"; then
    note "$path has been changed since, and stays"
    return
  fi
  change "$path" || return 0
  original=$(original_of "$path")
  if [[ -n $original && -e $original ]]; then
    cp -p "$original" "$path.mesos-calico-new"
    mv -f "$path.mesos-calico-new" "$path"
    label "$path"
  else
    rm -f "$path"
    rmdir --ignore-fail-on-non-empty --parents "${path%/*}" 2>/dev/null || true
  fi
}
take_part() {
  local path kind words original
  read -r path kind words <<<"$1"
  if [[ ! -e $path || ! -e $state/merged$path ]]; then return; fi
  change "our part of $path" || return 0
  # shellcheck disable=SC2086
  if merge take "$path" "$state/merged$path" /dev/null "$kind" $words >"$scratch/wanted" 2>/dev/null; then
    original=$(original_of "$path")
    if [[ ! -s $scratch/wanted && -z $original ]] || made_of "$state/seed$path" "$path" "$kind" $words; then
      rm -f "$path"
    elif [[ -n $original ]] && made_of "$original" "$path" "$kind" $words; then
      cp -p "$original" "$path.mesos-calico-new"
      mv -f "$path.mesos-calico-new" "$path"
    else
      write "$path" "$(stat --format %a "$path")" "$scratch/wanted"
    fi
    rm -f "$state/merged$path"
  else
    note "$path cannot be read any more, and stays"
  fi
}
# Whether a file is what a merge made of another and nobody has changed since: made_of FROM PATH KIND [WORD…]
made_of() { [[ -e $1 ]] && merge put "$1" "$state/merged$2" /dev/null "${@:3}" 2>/dev/null | cmp --silent - "$2"; }
release_package() {
  case $manager in
    apt) apt-mark unhold "$1" >/dev/null 2>&1 || true ;;
    *) "$manager" --quiet "${only[@]}" versionlock delete "$1" >/dev/null 2>&1 || true ;;
  esac
}
take_download() {
  if [[ ! -e $1 ]]; then return; fi
  change "$1" || return 0
  rm -rf "$1"
  rmdir --ignore-fail-on-non-empty --parents "${1%/*}" 2>/dev/null || true
}
# Round by round, since one may need another. What others have come to need stays: neither dpkg nor rpm takes them along.
take_packages() {
  local kind name round left=()
  while read -r kind name; do
    if [[ $kind == package && -n $(version_of "$name") ]]; then left+=("$name"); fi
  done <"$scratch/manifest"
  for round in 1 2 3; do
    for name in "${left[@]}"; do
      if [[ $dry == yes ]]; then
        ((round > 1)) || change "package $name" || true
      elif [[ -n $(version_of "$name") ]]; then
        case $manager in
          apt) dpkg --remove "$name" >/dev/null 2>&1 ;;
          *) rpm --erase "$name" >/dev/null 2>&1 ;;
        esac && change "package $name"
      fi
    done
  done
  if [[ $dry == yes ]]; then return; fi
  for name in "${left[@]}"; do
    if [[ -n $(version_of "$name") ]]; then note "the package $name is needed by others, and stays"; fi
  done
}

# --- the run ----------------------------------------------------------------------------------------------------------

words() {
  while (($# > 0)); do
    case $1 in
      --dry-run) dry=yes ;;
      --replace) replace=yes ;;
      --uninstall) uninstalling=yes ;;
      --wait)
        [[ ${2:-} =~ ^[0-9]+$ ]] || { usage >&2 && exit 2; }
        patience=$2
        shift
        ;;
      --help) usage && exit 0 ;;
      *) usage >&2 && exit 2 ;;
    esac
    shift
  done
}
uninstalling=no

# run NAME FUNCTION NAME FUNCTION…
run() {
  local number=1 count name work
  count=$(($# / 2))
  while (($# > 0)); do
    name=$1 work=$2
    shift 2
    touched=no
    echo "step $number of $count: $name"
    "$work"
    if [[ $touched == yes ]]; then
      changes+=("$name")
      if [[ $dry == yes ]]; then say 'to be changed'; else say changed; fi
    else
      say ok
    fi
    number=$((number + 1))
  done
}

# What stands in the way, all of it, before anything is changed.
look() {
  right_host
  mode=look
  every_file
  every_package
  mode=apply
  held=()
  ((refusals == 0)) || fail "$refusals in the way; nothing was changed"
}

finish() {
  if ((${#changes[@]} == 0)); then
    echo "$node: nothing changed"
  elif [[ $dry == yes ]]; then
    echo "$node: would change ${#changes[@]}: ${changes[*]}"
  else
    echo "$node: changed ${#changes[@]}: ${changes[*]}"
  fi
  if [[ $late == yes ]]; then
    exit 3
  fi
}

begin() {
  umask 022
  export LC_ALL=C
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"; allow_starts' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  if ((EUID == 0)) && [[ $dry == no ]]; then
    mkdir -p "$state"
    chmod 700 "$state"
    exec 8>"$state/lock"
    flock --nonblock 8 || fail "another run of this script is at work on this host"
  fi
}

# --- what this node gets ----------------------------------------------------------------------------------------------

step_1() {
file /opt/mesos-calico/fetch 755 <<'END'
#!/bin/bash
# Downloads a file, the members of a tar archive or all of it, once: what is there with the same address and sum is left
# alone, and says nothing. With a sum, a download that was cut short goes on where it ended.
#   fetch URL SHA256|- file TARGET
#   fetch URL SHA256|- tar FOLDER MEMBER…      (each member lands in FOLDER under its own name, without its folders)
#   fetch URL SHA256|- tree FOLDER             (all of the archive, without its first folder)
set -euo pipefail

url=$1 sum=$2 kind=$3 target=$4
shift 4

home=/opt/mesos-calico
mark=$home/fetched/$(printf '%s' "$kind $target $*" | sha256sum | cut -c 1-16)
wanted="$url $sum"

case $kind in
  file) targets=("$target") ;;
  tar) targets=("${@##*/}") && targets=("${targets[@]/#/$target/}") ;;
  tree) targets=("$target") ;;
  *) echo "fetch: $kind is neither file, tar nor tree" >&2 && exit 2 ;;
esac

# Two units may want one program at the same moment.
mkdir -p "${mark%/*}"
exec 9>"$mark.lock"
flock 9

complete() {
  [[ -f $mark && $(<"$mark") == "$wanted" ]] || return 1
  for each in "${targets[@]}"; do [[ -x $each ]] || return 1; done
}
if complete; then
  exit 0
fi

# The proxy is for downloads alone: a service that had it would ask it for other nodes.
if [[ -f /etc/mesos-calico/proxy.env ]]; then
  set -a
  # shellcheck source=/dev/null
  . /etc/mesos-calico/proxy.env
  set +a
fi

part=$mark.part
trap 'rm -rf "$part.member"' EXIT
# Nobody could tell whether the rest of a file without a sum belongs to its beginning.
if [[ $sum == - ]]; then
  rm -f "$part"
fi

# 500 bytes a second for a minute is the least that is waited for.
download() {
  echo "fetching $url"
  curl --fail --location --silent --show-error --connect-timeout 20 --max-time "${FETCH_SECONDS:-1800}" \
    --speed-limit 500 --speed-time 60 --continue-at - --output "$part" "$url"
}
right() {
  [[ -f $part ]] || return 1
  [[ $sum == - ]] || echo "$sum  $part" | sha256sum --check --status
}

for try in 1 2 3; do
  if [[ $sum != - ]] && right; then
    break
  fi
  if download && right; then
    break
  fi
  if [[ -f $part && $sum != - ]] && ((try == 2)); then
    # What goes on from a wrong beginning never gets right.
    rm -f "$part"
  fi
  if ((try == 3)); then
    if [[ -s $part && $sum != - ]]; then
      found=$(sha256sum "$part")
      echo "fetch: $url has the checksum ${found%% *}, not $sum" >&2
      rm -f "$part"
    else
      echo "fetch: $url could not be downloaded" >&2
    fi
    exit 1
  fi
  if [[ $sum == - ]]; then
    rm -f "$part"
  fi
  sleep "${FETCH_PAUSE:-3}"
done

place() {
  mkdir -p "${2%/*}"
  install -m 0755 "$1" "$2.new"
  mv "$2.new" "$2"
}
case $kind in
  file) place "$part" "$target" ;;
  tar)
    for member in "$@"; do
      tar --extract --gzip --file "$part" --to-stdout "$member" >"$part.member"
      place "$part.member" "$target/${member##*/}"
    done
    ;;
  tree)
    rm -rf "$target.new" "$target.old"
    mkdir -p "$target.new"
    tar --extract --gzip --file "$part" --directory "$target.new" --strip-components=1 --no-same-owner
    if [[ -e $target ]]; then
      mv "$target" "$target.old"
    fi
    mv "$target.new" "$target"
    rm -rf "$target.old"
    ;;
esac

echo "$wanted" >"$mark"
rm -f "$part"
END
file /opt/mesos-calico/pull 755 <<'END'
#!/bin/bash
# Pulls an image unless it is there: a node that starts again needs no registry.
#   pull IMAGE
set -euo pipefail

if ! /usr/bin/docker inspect --type image "$1" >/dev/null 2>&1; then
  exec /usr/bin/docker pull "$1"
fi
END
file /opt/mesos-calico/host-address 755 <<'END'
#!/bin/bash
# Makes sure of this host's own address and name before any service tells them to others.
#   host-address            the address is in host.env already
#   host-address ADDRESS    it is what the cloud's metadata say, and host.env is written
set -euo pipefail

known=/etc/mesos-calico/host.env
found=/run/mesos-calico/host-cidr.env

if (($# > 0)); then
  address=$1
else
  address=$(sed -n 's/^HOST_IP=//p' "$known")
fi
if [[ ! $address =~ ^[0-9]+(\.[0-9]+){3}$ || $address == 127.* || $address == 0.* ]]; then
  echo "host-address: '$address' is no address that other hosts can reach this one by" >&2
  exit 1
fi

# The network may still be coming up, and the cloud gives the name with it.
for ((second = 0; second < 30; second++)); do
  cidr=$(ip -4 -oneline address show | awk -v own="$address" '{ split($4, part, "/"); if (part[1] == own) print $4 }')
  cidr=${cidr%%$'\n'*}
  name=$(uname -n)
  if [[ -n $cidr && -n $name && $name != localhost* ]]; then
    mkdir -p "${known%/*}" "${found%/*}"
    if (($# > 0)); then
      echo "HOST_IP=$address" >"$known.new"
      mv "$known.new" "$known"
    fi
    echo "HOST_CIDR=$cidr" >"$found.new"
    mv "$found.new" "$found"
    echo "host-address: $name is at $cidr"
    exit 0
  fi
  sleep 1
done

if [[ -z $cidr ]]; then
  echo "host-address: no interface of this host has the address $address" >&2
else
  echo "host-address: this host is called '$name'; Calico keeps its data by host name, and two of one name overwrite each other" >&2
fi
exit 1
END
file /etc/mesos-calico/host.env 644 host-address.service calico-node.service <<'END'
HOST_IP=10.80.0.11
END
file /etc/NetworkManager/conf.d/90-mesos-calico.conf 644 NetworkManager.service <<'END'
[keyfile]
unmanaged-devices+=interface-name:cali*;interface-name:tunl0
END
file /etc/modules-load.d/mesos-calico.conf 644 kernel.service <<'END'
ip6_tables
ipip
nf_conntrack
xt_set
END
file /etc/sysctl.d/99-zz-mesos-calico.conf 644 kernel.service <<'END'
-net.netfilter.nf_conntrack_max = 1000000
net.ipv4.conf.*.rp_filter = 1
net.ipv4.conf.all.rp_filter = 1
net.ipv4.conf.default.rp_filter = 1
net.ipv4.ip_forward = 1
END
}

step_2() {
package ca-certificates '' ''
package curl '' ''
package diffutils '' ''
package iproute2 '' ''
package iptables '' ''
package kmod '' ''
package python3 '' ''
settle_packages
}

step_3() {
file /opt/mesos-calico/etcd-set 755 <<'END'
#!/bin/bash
# Writes a key of etcd's v2 API; waits two minutes for an etcd that has a leader.
#   etcd-set URL KEY VALUE
set -euo pipefail

url=$1 key=$2 value=$3

for ((end = SECONDS + 120; ; )); do
  if answer=$(curl --silent --show-error --fail --noproxy '*' --max-time 10 \
    --request PUT --data-urlencode "value=$value" "$url/v2/keys$key" 2>&1); then
    exit 0
  fi
  if ((SECONDS >= end)); then
    echo "etcd-set: $url does not take $key: $answer" >&2
    exit 1
  fi
  sleep 2
done
END
file /etc/mesos-calico/ip-pools.json 644 <<'END'
[
  {
    "apiVersion": "v1",
    "kind": "ipPool",
    "metadata": {
      "cidr": "10.65.0.0/16"
    },
    "spec": {
      "ipip": {
        "enabled": true,
        "mode": "always"
      },
      "nat-outgoing": true
    }
  }
]
END
}

step_4() {
file /etc/mesos-calico/zoo.cfg 644 zookeeper.service <<'END'
tickTime=2000
initLimit=10
syncLimit=5
autopurge.purgeInterval=1
autopurge.snapRetainCount=3
admin.enableServer=false
4lw.commands.whitelist=ruok,srvr,mntr
standaloneEnabled=true
dataDir=/var/lib/data/zookeeper/data
dataLogDir=/var/lib/data/zookeeper/log
server.1=10.80.0.11:2888:3888;2181
END
file /var/lib/data/zookeeper/data/myid 644 zookeeper.service <<'END'
1
END
}

step_5() {
file /opt/mesos-calico/mesos-start 755 <<'END'
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
END
file /etc/mesos/zk 644 mesos-master.service <<'END'
zk://10.80.0.11:2181/mesos
END
file /etc/mesos-master/quorum 644 mesos-master.service <<'END'
1
END
file /etc/mesos-master/registry 644 mesos-master.service <<'END'
replicated_log
END
file /etc/mesos-master/work_dir 644 mesos-master.service <<'END'
/var/lib/data/mesos-master
END
file /etc/mesos-master/ip 644 mesos-master.service <<'END'
10.80.0.11
END
file /etc/mesos-master/port 644 mesos-master.service <<'END'
5050
END
file /etc/mesos-master/hostname 644 mesos-master.service <<'END'
10.80.0.11
END
file /etc/mesos-master/cluster 644 mesos-master.service <<'END'
debian-12
END
}

step_6() {
merged /etc/docker/daemon.json 644 docker.service json cluster-store live-restore log-driver+log-opts <<'END'
{
  "log-driver": "json-file",
  "log-opts": {
    "max-size": "20m",
    "max-file": "5"
  },
  "live-restore": true
}
END
}

step_7() {
file /opt/mesos-calico/await-keys 755 <<'END'
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
END
file /opt/mesos-calico/forget-hosts 755 <<'END'
#!/bin/bash
# Takes away what Calico keeps of hosts that had this one's address before it: calico/node ends where another name has its
# address. A cloud gives an address to one machine at a time, and this one has it, so the other is dead.
#   forget-hosts URL,URL… ADDRESS
# By etcd's v2 API, which is the same for all versions: calicoctl may be missing, and that of v0.17 removes only itself.
# Blocks of addresses keep the dead host's name: what its tasks had stays taken, the rest is given when no block is free.
set -euo pipefail

IFS=, read -ra urls <<<"$1"
address=$2
if [[ ! $address =~ ^[0-9]+(\.[0-9]+){3}$ ]]; then
  echo "forget-hosts: '$address' is no address" >&2
  exit 2
fi
own=$(uname -n)

# etcd METHOD KEY: the first answer that is etcd's own, also that there is no such key.
etcd() {
  local url answer
  for url in "${urls[@]}"; do
    answer=$(curl --silent --noproxy '*' --max-time 20 --write-out ' %{http_code}' \
      --request "$1" "$url/v2/keys$2?recursive=true") || continue
    case $answer in
      '{"action":'*' 200' | '{"errorCode":100,'*' 404') echo "$answer" && return ;;
    esac
  done
  echo "forget-hosts: no etcd at ${urls[*]} does $1 $2 (last: ${answer:-nothing})" >&2
  return 1
}

hosts=$(etcd GET /calico/bgp/v1/host)
# "key":"/calico/bgp/v1/host/NAME/ip_addr_v4","value":"ADDRESS"
while read -r name; do
  # Calico of some versions writes names in small letters.
  [[ ${name,,} == "${own,,}" ]] && continue
  # The key that it was found by comes last, so that a run that is cut short is ended by the next.
  for tree in ipam/v2 v1 bgp/v1; do
    etcd DELETE "/calico/$tree/host/$name" >/dev/null
  done
  echo "forget-hosts: $name had $address, and is forgotten"
done < <(
  grep --only-matching --extended-regexp \
    "\"/calico/bgp/v1/host/[A-Za-z0-9._-]+/ip_addr_v4\",\"value\":\"${address//./\\.}\"" <<<"$hosts" | cut --delimiter=/ --fields=6
)
END
file /etc/calico/calicoctl.cfg 644 <<'END'
{
  "apiVersion": "v1",
  "kind": "calicoApiConfig",
  "metadata": {},
  "spec": {
    "datastoreType": "etcdv2",
    "etcdEndpoints": "http://10.80.0.11:2379"
  }
}
END
}

step_8() {
file /etc/mesos-calico/mesos-dns.json 644 mesos-dns.service <<'END'
{
  "zk": "zk://10.80.0.11:2181/mesos",
  "masters": [
    "10.80.0.11:5050"
  ],
  "refreshSeconds": 5,
  "ttl": 60,
  "domain": "mesos",
  "listener": "10.80.0.11",
  "port": 53,
  "resolvers": [],
  "timeout": 5,
  "externalon": true,
  "httpon": true,
  "httpport": 8123,
  "IPSources": [
    "netinfo",
    "mesos",
    "host"
  ]
}
END
}

step_9() {
file /etc/systemd/system/host-address.service 644 daemon-reload host-address.service <<'END'
[Unit]
Description=The address of this host, before any service tells it to others
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/opt/mesos-calico/host-address
Restart=on-failure
RestartSec=5
TimeoutStartSec=2min

[Install]
WantedBy=mesos-calico.target
END
file /etc/systemd/system/kernel.service 644 daemon-reload kernel.service <<'END'
[Unit]
Description=Kernel modules and settings of this cluster; systemd's own units run before cloud-config has written them
Before=docker.service calico-node.service mesos-slave.service
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=-/usr/lib/systemd/systemd-modules-load /etc/modules-load.d/mesos-calico.conf
ExecStart=/usr/lib/systemd/systemd-sysctl
Restart=on-failure
RestartSec=5
TimeoutStartSec=1min

[Install]
WantedBy=mesos-calico.target
END
file /etc/systemd/system/mesos-calico.target 644 daemon-reload <<'END'
[Unit]
Description=Mesos cluster debian-12: all services of m1
Documentation=man:systemd.special(7)

[Install]
WantedBy=multi-user.target
END
file /etc/systemd/system/etcd.service 644 daemon-reload etcd.service <<'END'
[Unit]
Description=etcd 3.4.23, member m1 (datastore of Calico and of Docker's networks)
Documentation=https://etcd.io/docs/
Wants=network-online.target host-address.service
After=network-online.target host-address.service
RequiresMountsFor=/var/lib/data
StartLimitIntervalSec=0

[Service]
ExecStartPre=/usr/bin/mkdir -p /var/lib/data/etcd
ExecStartPre=/usr/bin/chmod 0700 /var/lib/data/etcd
ExecStart=/usr/bin/etcd \
  --name=m1 \
  --data-dir=/var/lib/data/etcd \
  --listen-client-urls=http://10.80.0.11:2379,http://127.0.0.1:2379 \
  --advertise-client-urls=http://10.80.0.11:2379 \
  --listen-peer-urls=http://10.80.0.11:2380 \
  --initial-advertise-peer-urls=http://10.80.0.11:2380 \
  --initial-cluster=m1=http://10.80.0.11:2380 \
  --initial-cluster-state=new \
  --initial-cluster-token=debian-12 \
  --enable-v2=true
Restart=always
RestartSec=5
TimeoutStartSec=10min
LimitNOFILE=65536

[Install]
WantedBy=mesos-calico.target
END
file /etc/systemd/system/calico-config.service 644 daemon-reload calico-config.service <<'END'
[Unit]
Description=IP pools and settings of Calico v2.6.12, before the first calico-node
Wants=network-online.target host-address.service etcd.service
After=network-online.target host-address.service etcd.service
Before=calico-node.service
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
Environment=ETCD_ENDPOINTS=http://10.80.0.11:2379
ExecStartPre=/opt/mesos-calico/fetch http://10.80.0.1:8080/github.com/projectcalico/calicoctl/releases/download/v1.6.5/calicoctl - file /opt/bin/calicoctl
ExecStart=/opt/mesos-calico/etcd-set http://10.80.0.11:2379 /calico/v1/config/UsageReportingEnabled false
ExecStart=/opt/mesos-calico/etcd-set http://10.80.0.11:2379 /calico/v1/config/IgnoreLooseRPF true
ExecStart=/opt/mesos-calico/etcd-set http://10.80.0.11:2379 /calico/v1/config/IpInIpMtu 1480
ExecStart=/opt/bin/calicoctl apply --filename=/etc/mesos-calico/ip-pools.json
Restart=on-failure
RestartSec=10
TimeoutStartSec=15min

[Install]
WantedBy=mesos-calico.target
END
file /etc/systemd/system/zookeeper.service 644 daemon-reload zookeeper.service <<'END'
[Unit]
Description=ZooKeeper 3.8.0, server 1 (elects the leading Mesos master and Marathon)
Documentation=https://zookeeper.apache.org/
Wants=network-online.target host-address.service
After=network-online.target host-address.service
StartLimitIntervalSec=0

[Service]
ExecStartPre=/usr/bin/mkdir -p /var/lib/data/zookeeper/log
ExecStart=/usr/bin/java -Xmx512m -cp "/etc/zookeeper/conf:/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar" org.apache.zookeeper.server.quorum.QuorumPeerMain /etc/mesos-calico/zoo.cfg
SuccessExitStatus=143
Restart=always
RestartSec=5
TimeoutStartSec=10min

[Install]
WantedBy=mesos-calico.target
END
file /etc/systemd/system/mesos-master.service 644 daemon-reload mesos-master.service <<'END'
[Unit]
Description=Mesos master 1.11.0-0.9.0
Documentation=https://mesos.apache.org/documentation/
Wants=network-online.target host-address.service zookeeper.service
After=network-online.target host-address.service zookeeper.service
StartLimitIntervalSec=0

[Service]
EnvironmentFile=-/etc/default/mesos
EnvironmentFile=-/etc/default/mesos-master
ExecStartPre=/usr/bin/mkdir -p /var/lib/data/mesos-master
ExecStart=/opt/mesos-calico/mesos-start mesos-master zk /etc/mesos-master
Restart=always
RestartSec=5
LimitNOFILE=65536

[Install]
WantedBy=mesos-calico.target
END
file /etc/systemd/system/docker.service.d/50-mesos-calico.conf 644 daemon-reload docker.service <<'END'
[Unit]
Wants=network-online.target kernel.service
After=network-online.target kernel.service
StartLimitIntervalSec=0

[Service]
EnvironmentFile=-/etc/mesos-calico/proxy.env
Restart=always
RestartSec=5
END
file /etc/systemd/system/calico-node.service 644 daemon-reload calico-node.service <<'END'
[Unit]
Description=calico-node v2.6.12: routes to tasks, and policy on each of them
Documentation=https://docs.tigera.io/archive/
Wants=network-online.target host-address.service kernel.service docker.service etcd.service
After=network-online.target host-address.service kernel.service docker.service etcd.service calico-config.service
StartLimitIntervalSec=0

[Service]
EnvironmentFile=/etc/mesos-calico/host.env
# There only once host-address.service has found the address on an interface of this host.
EnvironmentFile=/run/mesos-calico/host-cidr.env
ExecStartPre=-/opt/mesos-calico/fetch http://10.80.0.1:8080/github.com/projectcalico/calicoctl/releases/download/v1.6.5/calicoctl - file /opt/bin/calicoctl
ExecStartPre=/opt/mesos-calico/pull calico/node:v2.6.12
ExecStartPre=/opt/mesos-calico/await-keys http://10.80.0.11:2379 /calico/v1/ipam/v4/pool/10.65.0.0-16
ExecStartPre=/opt/mesos-calico/forget-hosts http://10.80.0.11:2379 ${HOST_IP}
ExecStartPre=-/usr/bin/docker rm --force calico-node
ExecStart=/usr/bin/docker run --rm --name=calico-node --net=host --privileged \
  --env=IP=${HOST_IP} \
  --env=NO_DEFAULT_POOLS=true \
  --env=ETCD_ENDPOINTS=http://10.80.0.11:2379 \
  --env=CALICO_NETWORKING_BACKEND=bird \
  --env=FELIX_USAGEREPORTINGENABLED=false \
  --env=FELIX_DEFAULTENDPOINTTOHOSTACTION=RETURN \
  --env=FELIX_IGNORELOOSERPF=true \
  --env=FELIX_IPINIPMTU=1480 \
  --volume=/lib/modules:/lib/modules:ro \
  --volume=/var/log/calico:/var/log/calico \
  --volume=/var/run/calico:/var/run/calico \
  calico/node:v2.6.12
ExecStop=/usr/bin/docker stop calico-node
SuccessExitStatus=143
Restart=always
RestartSec=5
TimeoutStartSec=20min

[Install]
WantedBy=mesos-calico.target
END
file /etc/systemd/system/marathon.service 644 daemon-reload marathon.service <<'END'
[Unit]
Description=Marathon v1.11.24
Documentation=https://mesosphere.github.io/marathon/docs/
Wants=network-online.target host-address.service docker.service zookeeper.service mesos-master.service
After=network-online.target host-address.service docker.service zookeeper.service mesos-master.service
StartLimitIntervalSec=0

[Service]
ExecStartPre=/opt/mesos-calico/pull mesosphere/marathon:v1.11.24
ExecStartPre=-/usr/bin/docker rm --force marathon
ExecStart=/usr/bin/docker run --rm --name marathon --net=host \
  --env=LIBPROCESS_IP=10.80.0.11 \
  --env=LIBPROCESS_PORT=15101 \
  mesosphere/marathon:v1.11.24 \
  --master zk://10.80.0.11:2181/mesos \
  --zk zk://10.80.0.11:2181/marathon \
  --hostname 10.80.0.11 \
  --http_port 8080 \
  --mesos_user root
ExecStop=/usr/bin/docker stop marathon
SuccessExitStatus=143
Restart=always
RestartSec=5
TimeoutStartSec=15min

[Install]
WantedBy=mesos-calico.target
END
file /etc/systemd/system/mesos-dns.service 644 daemon-reload mesos-dns.service <<'END'
[Unit]
Description=mesos-dns v0.5.0 (names of tasks)
Documentation=https://mesosphere.github.io/mesos-dns/
Wants=network-online.target host-address.service zookeeper.service mesos-master.service
After=network-online.target host-address.service zookeeper.service mesos-master.service
StartLimitIntervalSec=0

[Service]
ExecStartPre=/opt/mesos-calico/fetch http://10.80.0.1:8080/github.com/mesosphere/mesos-dns/releases/download/v0.5.0/mesos-dns-v0.5.0-linux-amd64 - file /opt/bin/mesos-dns
ExecStart=/opt/bin/mesos-dns -config=/etc/mesos-calico/mesos-dns.json
Restart=always
RestartSec=5
TimeoutStartSec=10min

[Install]
WantedBy=mesos-calico.target
END
}

step_10() {
package etcd-server 3.4.23 ''
package default-jre-headless '' ''
package zookeeper 3.8.0 ''
package docker.io 20.10.24 hold
package containerd '' hold
package apparmor '' ''
settle_packages
}

step_11() {
download 'calicoctl v1.6.5' http://10.80.0.1:8080/github.com/projectcalico/calicoctl/releases/download/v1.6.5/calicoctl - file /opt/bin/calicoctl
download 'mesos-dns v0.5.0' http://10.80.0.1:8080/github.com/mesosphere/mesos-dns/releases/download/v0.5.0/mesos-dns-v0.5.0-linux-amd64 - file /opt/bin/mesos-dns
}

step_12() {
package_file aventer-mesos http://rpm.aventer.biz/Debian/bookworm/pool/main/a/aventer-mesos/aventer-mesos_1.11.0-0.9.0.debian12_amd64.deb - hold
}

step_13() {
hold_packages
}

step_14() {
module ip6_tables
module ipip
module nf_conntrack
module xt_set
setting -net.netfilter.nf_conntrack_max 1000000
setting 'net.ipv4.conf.*.rp_filter' 1
setting net.ipv4.conf.all.rp_filter 1
setting net.ipv4.conf.default.rp_filter 1
setting net.ipv4.ip_forward 1
}

step_15() {
if [[ $mode == look ]] || ! firewall_running; then return; fi
zone mesos-calico
zone mesos-tasks
source_of mesos-calico 10.80.0.11
source_of mesos-calico 10.80.0.12
source_of mesos-calico 10.80.0.13
interface_of mesos-tasks cali+
interface_of mesos-tasks tunl0
gate mesos-calico 22/tcp
gate mesos-calico 179/tcp
gate mesos-calico ipip
gate mesos-calico 2379/tcp
gate mesos-calico 2380/tcp
gate mesos-calico 2181/tcp
gate mesos-calico 2888/tcp
gate mesos-calico 3888/tcp
gate mesos-calico 5050/tcp
gate mesos-calico 8080/tcp
gate mesos-calico 15101/tcp
gate mesos-calico 53/tcp
gate mesos-calico 53/udp
gate mesos-calico 8123/tcp
gate mesos-tasks 53/tcp
gate mesos-tasks 53/udp
passing mesos-tasks-in ANY mesos-tasks
passing mesos-tasks-out mesos-tasks ANY
reload_firewall
}

step_16() {
start_services "${services[@]}"
await_services "${services[@]}"
}

every_file() {
  step_1
  step_3
  step_4
  step_5
  step_6
  step_7
  step_8
  step_9
}
every_package() {
  step_2
  step_10
}
services=(host-address.service kernel.service etcd.service calico-config.service zookeeper.service mesos-master.service docker.service calico-node.service marathon.service mesos-dns.service mesos-calico.target)

main() {
  words "$@"
  begin
  if [[ $uninstalling == yes ]]; then
    ((EUID == 0)) || fail "only root can take it off"
    uninstall
    exit 0
  fi
  run 'this host' look \
    'what every node has' step_1 \
    tools step_2 \
    'files of calico-config' step_3 \
    'files of zookeeper' step_4 \
    'files of mesos-master' step_5 \
    'files of docker' step_6 \
    'files of calico-node' step_7 \
    'files of mesos-dns' step_8 \
    units step_9 \
    packages step_10 \
    downloads step_11 \
    'packages from files' step_12 \
    'packages held' step_13 \
    kernel step_14 \
    firewall step_15 \
    services step_16
  finish
}
main "$@"

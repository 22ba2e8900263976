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
{{merge}}
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

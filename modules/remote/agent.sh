# One session on one agent, run by bash as root: it takes orders on standard input, one a line, and tells on standard output
# what came of each. It ends with its standard input, and all that it started ends with it. No file is written.
# $probe, $listen_*, $hold_* and $ask_* hold the other scripts.
#
#   host NAME                   gives the agent's own network a name
#   enter NAME ADDRESS PID      finds the network namespace that has the address: of the process, or of any. PID or `-`
#   listen NAME TCP UDP         opens listeners in it (`9000,9001`, or `-`)
#   leave NAME                  ends its listeners and forgets it
#   probe ROUND TIMEOUT COUNT   then COUNT lines: NAME INDEX PROTOCOL ADDRESS PORT LOW HIGH NONCE WHO
#   drain ROUND                 has all listeners tell what has arrived
#   answer NAME PORT            says back in it what a TCP connection says
#   call NAME ADDRESS PORT      holds a TCP connection from it to there
#   nudge NAME MS               whether what that one says comes back
#   hang NAME                   ends both in it
#   ask NUMBER NAME ADDRESS PORT MS HEX   sends a datagram from it, and tells what came back
#   marker ROUND TEXT           how many rules of the kernel hold the text
LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
# Probes and listeners before all else: what they wait for shall be the network, not the processor.
renice -n -10 $$ >/dev/null 2>&1
declare -A space pipes listener answers calls
ear=()
# Source ports of each round are fresh, and those of the session before this one are elsewhere.
slice=$((RANDOM % 441))

end_all() {
  trap - EXIT
  kill "${listener[@]}" $(jobs -p) 2>/dev/null
}
trap end_all EXIT
trap 'exit 1' HUP TERM INT PIPE

# Whether the namespace of a table of routes has an address of its own; a route to it is not enough.
holds() {
  local form="\\|-- ${2//./\\.}"$'\n'" +/32 host LOCAL"
  [[ $1 =~ $form ]]
}

# The file of the namespace that has an address. `found` is empty where there is none.
find_space() {
  local address=$1 pid=$2 file id seen=' '
  found=
  if [[ $pid != - ]] && holds "$(cat "/proc/$pid/net/fib_trie" 2>/dev/null)" "$address"; then
    found=/proc/$pid/ns/net
    return
  fi
  while read -r id file; do
    # One process of each namespace.
    [[ $seen != *" $id "* ]] || continue
    seen+="$id "
    holds "$(cat "${file%/ns/net}/net/fib_trie" 2>/dev/null)" "$address" && { found=$file; return; }
  done < <(printf '%s\0' /proc/[0-9]*/ns/net | xargs -0 stat -L -c '%i %n' 2>/dev/null)
  # Namespaces that no process is in.
  for file in /run/netns/* /run/docker/netns/*; do
    [[ -e $file ]] || continue
    holds "$(nsenter "--net=$file" cat /proc/net/fib_trie 2>/dev/null)" "$address" && { found=$file; return; }
  done
}

enter() {
  local name=$1 address=$2 fd found
  find_space "$address" "$3"
  [[ -n $found ]] || { echo "lost $name no network namespace of this host has the address $address"; return; }
  # Held open, it stays what it is, whatever becomes of the process.
  exec {fd}<"$found" || { echo "lost $name its network namespace went away"; return; }
  if [[ $(stat -L -c %i "/proc/$$/fd/$fd") == "$(stat -L -c %i /proc/$$/ns/net)" ]]; then
    exec {fd}<&-
    echo "lost $name the address $address is the host's own: the task runs on host networking"
    return
  fi
  space[$name]=$fd
  echo "entered $name"
}

# Runs something in the network of a name.
within() {
  local fd=${space[$1]}
  shift
  if [[ $fd == own ]]; then "$@"; else nsenter "--net=/proc/self/fd/$fd" "$@"; fi
}

# What the host listens with: Python on EL (its own where there is no other), Perl on Debian, socat on Flatcar.
find_ear() {
  local python
  for python in /usr/bin/python3 /usr/libexec/platform-python python3; do
    "$python" -c 'import select, socket' 2>/dev/null && { ear=("$python" -c "$listen_py"); return; }
  done
  perl -MSocket -e 1 2>/dev/null && { ear=(perl -e "$listen_pl"); return; }
  socat -V >/dev/null 2>&1 && ear=(bash -c "$listen_sh" listen)
}

listen() {
  local name=$1 tcp=$2 udp=$3 fd
  leave_listener "$name"
  [[ -n ${ear[*]} ]] || find_ear || { echo "deaf $name the host has none of python3, perl and socat to listen with"; return; }
  set -- "${ear[@]}"
  exec {fd}> >(within "$name" "$@" "$name" "$tcp" "$udp" 2>&1 | while IFS= read -r line; do
    case $line in 'listening '* | 'arrived '* | 'drained '*) echo "$line" ;; *) echo "deaf $name $line" ;; esac
  done)
  listener[$name]=$!
  pipes[$name]=$fd
}

leave_listener() {
  local fd=${pipes[$1]-}
  [[ -z $fd ]] || exec {fd}>&-
  unset "pipes[$1]" "listener[$1]"
}

# Says back what it is told, once it is open; ends with its standard input.
hold_socat='socat "TCP4-LISTEN:$2,reuseaddr,fork" PIPE </dev/null &
printf -v hex ":%04X 00000000:0000 0A" "$2"
for ((tries = 0; tries < 100; tries++)); do [[ $(</proc/net/tcp) == *"$hex"* ]] && break; sleep 0.05; done
echo "answering $1"
cat
kill $!'

answer() {
  local name=$1 port=$2 fd
  [[ -n ${ear[*]} ]] || find_ear || { echo "mute $name the host has none of python3, perl and socat to listen with"; return; }
  case ${ear[0]##*/} in
  perl) set -- perl -e "$hold_pl" "$name" "$port" ;;
  bash) set -- bash -c "$hold_socat" answer "$name" "$port" ;;
  *) set -- "${ear[0]}" -c "$hold_py" "$name" "$port" ;;
  esac
  exec {fd}> >(within "$name" "$@" 2>&1 | while IFS= read -r line; do
    case $line in 'answering '*) echo "$line" ;; *) echo "mute $name $line" ;; esac
  done)
  answers[$name]=$fd
}

call() {
  local fd
  exec {fd}> >(within "$1" bash -c "$hold_sh" call "$1" "$2" "$3" 2>/dev/null)
  calls[$1]=$fd
}

hang() {
  local fd
  for fd in ${answers[$1]-} ${calls[$1]-}; do exec {fd}>&-; done
  unset "answers[$1]" "calls[$1]"
}

ask() {
  local number=$1 name=$2
  shift 2
  [[ -n ${space[$name]-} ]] || { echo "told $number broken $name is not known on this host"; return; }
  case ${ear[0]##*/} in
  '') echo "told $number broken the host has none of python3, perl and socat to ask with" && return ;;
  perl) set -- perl -e "$ask_pl" "$number" "$@" ;;
  bash) set -- bash -c "$ask_sh" ask "$number" "$@" ;;
  *) set -- "${ear[0]}" -c "$ask_py" "$number" "$@" ;;
  esac
  within "$name" "$@" 2>/dev/null || echo "told $number broken what asks has failed"
}

leave() {
  local fd=${space[$1]-}
  leave_listener "$1"
  hang "$1"
  [[ -z $fd || $fd == own ]] || exec {fd}<&-
  unset "space[$1]"
  echo "left $1"
}

probe_all() {
  local round=$1 timeout=$2 count=$3 name rest at=-
  local -A lines
  for (( ; count > 0; count--)); do
    read -r name rest
    lines[$name]+=$rest$'\n'
  done
  ((slice++))
  for name in "${!lines[@]}"; do
    if [[ -z ${space[$name]-} ]]; then
      while read -r index _; do
        [[ -z $index ]] || echo "result $round $index broken 0 0 $name is not known on this host"
      done <<<"${lines[$name]}"
      echo "probed $round $name"
      continue
    fi
    [[ ${space[$name]} == own ]] && at=- || at=$slice
    printf '%s' "${lines[$name]}" | within "$name" bash -c "$probe" probe "$round" "$timeout" "$name" "$at" 2>/dev/null &
  done
}

marker() {
  local count=0 save here
  # Some of them are one program by two names.
  for save in iptables-save iptables-legacy-save iptables-nft-save; do
    here=$($save -t filter 2>/dev/null | grep -c -F -e "$2")
    ((here > count)) && count=$here
  done
  echo "marker $1 $count"
}

echo ready
while read -r order one two three; do
  case $order in
  host) space[$one]=own && echo "entered $one" ;;
  enter) enter "$one" "$two" "$three" ;;
  listen) listen "$one" "$two" "$three" ;;
  leave) leave "$one" ;;
  probe) probe_all "$one" "$two" "$three" ;;
  drain) for fd in "${pipes[@]}"; do echo "$one" >&"$fd"; done ;;
  answer) answer "$one" "$two" ;;
  call) call "$one" "$two" "$three" ;;
  nudge) echo "$two" >&"${calls[$one]}" ;;
  hang) hang "$one" && echo "hung $one" ;;
  ask)
    [[ -n ${ear[*]} ]] || find_ear
    # The last word is four of them.
    # shellcheck disable=SC2086
    ask "$one" "$two" $three &
    ;;
  marker) marker "$one" "$two" & ;;
  esac
done

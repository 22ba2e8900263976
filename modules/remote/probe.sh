# The prober, run by bash inside the network namespace of one source. It sends each probe from a process of its own, with
# what bash has for TCP and UDP and with ping, and says of each what came of it.
#
#   arguments: ROUND, time-out in milliseconds, NAME of the source, SLICE for fresh source ports (a number, or `-`)
#   input:     INDEX PROTOCOL ADDRESS PORT LOW HIGH NONCE WHO, one line for each probe
#   output:    begun ROUND NAME, then
#              result ROUND INDEX VERDICT MS START NOTE… for each, and at the end: probed ROUND NAME
#
# The connection is the kernel's: a probe is held to be silent only when its time is over and the kernel, too, says that
# it has no answer. Time that the machine did not give to this process does not count.
LC_ALL=C
round=$1 timeout=$(($2 * 1000)) name=$3 slice=$4
most=48      # probes without an answer at one time
look=20000   # how long one wait for an answer takes, microseconds
grace=15000  # a wait that took so much longer was the machine's doing
patience=40  # more looks, 50 ms each, after which a word that somebody is unreachable is taken to be for another
most_looks=300 # and after which what the kernel has, and the probe does not tell, is given up

if [[ -n ${EPOCHREALTIME-} ]]; then
  now() { now=${EPOCHREALTIME/./}; }
else
  # Bash before 5: in hundredths of a second.
  now() { read -r now _ </proc/uptime; now=${now/./}0000; }
fi

say() { printf 'result %s %s %s %s\n' "$round" "$1" "$2" "$3"; }
ms() { ms=$(($1 / 1000)).$(printf '%02d' $(($1 / 10 % 100))); }

# What the kernel writes of an address: `0A010203` read backwards, and the port.
remote() {
  local a b c d
  IFS=. read -r a b c d <<<"$1"
  printf -v remote '%02X%02X%02X%02X:%04X' "$d" "$c" "$b" "$a" "$2"
}

# In the child: opens, sends, waits for the answer; whatever goes wrong is told in bash's own words.
tcp() {
  printf 'sent %s %s\n' "$1" "$BASHPID" >&5
  { now; echo "at $now"; IFS= read -r line <&3; echo "$line"; } 3<>"/dev/tcp/$2/$3"
}
udp() {
  printf 'sent %s %s\n' "$1" "$BASHPID" >&5
  { printf 'mc01 %s\n' "$4" >&3 && exec timeout --foreground 60 dd bs=2048 count=1 status=none <&3; } 3<>"/dev/udp/$2/$3"
}
icmp() {
  printf 'sent %s %s\n' "$1" "$BASHPID" >&5
  exec ping -n -c 1 -W 60 "$2"
}

child() {
  local index=$1 protocol=$2 address=$3 port=$4 nonce=$5 who=$6 said began verdict=broken note= ms
  now; began=$now
  said=$({ "$protocol" "$index" "$address" "$port" "$nonce"; } 2>&1)
  now
  case $protocol in
  tcp)
    if [[ $said == 'at '* ]]; then
      said=${said#at }
      now=${said%%$'\n'*}
      said=${said#*$'\n'}
      if [[ $said == "mc01 $who" ]]; then verdict=open
      elif [[ $said == 'mc01 '* ]]; then note="${said#mc01 } answered"
      else note='the connection ended without a name'; fi
    fi ;;
  udp)
    if [[ $said == "mc01 $nonce $who" ]]; then verdict=open
    elif [[ $said == "mc01 $nonce "* ]]; then note="${said#"mc01 $nonce "} answered"; fi ;;
  icmp) [[ $said != *' bytes from '* ]] || verdict=open ;;
  esac
  if [[ $verdict == broken && -z $note ]]; then
    case $said in
    *[Rr]efused* | *'Port Unreachable'*) verdict=refused ;;
    *'No route'* | *[Uu]nreachable* | *'Permission denied'* | *'not permitted'* | *[Ff]iltered* | *rohibited*)
      verdict=rejected ;;
    *) note="it could not be sent: ${said//$'\n'/ }" ;;
    esac
  fi
  ms $((now - began))
  printf 'got %s %s %s %s\n' "$index" "$verdict" "$ms" "${note:0:300}" >&5
}

# Fresh source ports: in a task that is there for probes only, the kernel takes them from where we say, and each round has
# a place of its own. Connection tracking would let a packet of an old flow pass that policy has forbidden since.
# From a host nothing is changed.
ports() {
  local low=$1 high=$2 file=/proc/sys/net/ipv4/ip_local_port_range width=64 has
  if [[ $slice == - ]]; then
    read -r -a has <$file
    ((low <= has[0] && has[1] <= high)) && return
    why='a host sends from the ports that it has set, and no other'
    return 1
  fi
  if ((high - low >= 2 * width)); then
    local places=$(((high - low + 1) / width))
    low=$((low + slice % places * width)) high=$((low + width - 1))
  fi
  why="the kernel does not send from port $low"
  ((low >= 1024)) || { echo "$low" >/proc/sys/net/ipv4/ip_unprivileged_port_start; } 2>/dev/null || return 1
  { echo "$low $high" >$file; } 2>/dev/null
}

# As the kernel counts them here: echo requests that went out, replies that came in, and words that something is unreachable.
count() {
  local -a names values
  local i word
  out=0 in=0 no=0
  while read -r word rest; do
    [[ $word == Icmp: ]] || continue
    if ((${#names[@]} == 0)); then read -r -a names <<<"$rest"; else read -r -a values <<<"$rest"; fi
  done </proc/net/snmp
  for i in "${!names[@]}"; do
    case ${names[i]} in OutEchos) out=${values[i]} ;; InEchoReps) in=${values[i]} ;; InDestUnreachs) no=${values[i]} ;; esac
  done
}

# Whether the kernel, too, has no answer to a probe whose time is over: 0 silent, 1 it knows more than the probes have told,
# 2 it has not even sent it.
silent() {
  local index=$1 file
  count
  case ${protocol[index]} in
  tcp)
    remote "${address[index]}" "${port[index]}"
    file=$(</proc/net/tcp)
    # A word that came while the connection was being begun is not heard; the next one, to its repetition, is.
    [[ $file == *" $remote 02 "* ]] && return $((no - no0 > told))
    [[ $file == *" $remote 01 "* || -z ${pid[index]-} ]] && return 1
    return 2 ;;
  udp)
    remote "${address[index]}" "${port[index]}"
    file=$(</proc/net/udp)
    [[ $file =~ \ $remote\ 01\ [0-9A-F]{8}:([0-9A-F]{8})\  ]] || return 2
    [[ ${BASH_REMATCH[1]} == 00000000 ]] && return $((no - no0 > told)) ;;
  icmp)
    ((out - out0 >= pings)) || return 2
    ((in - in0 <= pongs)) ;;
  esac
}

declare -a protocol address port nonce who group pid due began looks
declare -A busy groups
order=() held=()
while read -r index p a n low high id w; do
  # An echo that is to belong to a certain flow has its identifier, and that is ping's to choose.
  if [[ $p == icmp && $low == "$high" ]]; then
    held+=("$index")
    continue
  fi
  protocol[index]=$p address[index]=$a port[index]=$n nonce[index]=$id who[index]=$w
  groups["$low $high"]+=" $index"
done

# A pipe that its reader holds open, too.
coproc pipe { exec cat; }
exec 4<&"${pipe[0]}" 5>&"${pipe[1]}"
echo "begun $round $name"
for index in "${held[@]}"; do say "$index" broken '0 0 not tried: ping has an identifier of its own choice'; done
now; begin=$now last=$now clock=0 line=

finish() { # INDEX VERDICT MS NOTE
  ms $((began[$1] - begin))
  say "$1" "$2" "$3 $ms${4:+ $4}"
  unset "busy[${protocol[$1]} ${address[$1]} ${port[$1]}]" "due[$1]" "began[$1]" "looks[$1]"
  # Its process may still be waiting.
  [[ -z ${pid[$1]-} ]] || kill "${pid[$1]}" 2>/dev/null
  unset "pid[$1]"
}

launch() {
  local index=$1
  began[index]=$now due[index]=$((clock + timeout))
  busy["${protocol[index]} ${address[index]} ${port[index]}"]=1
  [[ ${protocol[index]} != icmp ]] || ((pings++))
  child "$index" "${protocol[index]}" "${address[index]}" "${port[index]}" "${nonce[index]}" "${who[index]}" <&- &
}

over() { # a probe whose time is over
  local index=$1 state enough=$most_looks
  silent "$index"
  state=$?
  case $state in
  0)
    if [[ -n ${late[index]-} ]]; then
      # It had only just been sent: the whole time again.
      unset "late[index]"
      due[index]=$((clock + timeout))
      return
    fi
    ms $((now - began[index]))
    finish "$index" dropped "$ms"
    return ;;
  2) late[index]=1 ;;
  esac
  ((looks[index] += 1, due[index] = clock + 50000))
  ((state == 1 && no - no0 > told)) && enough=$patience
  ((looks[index] <= enough)) && return
  ms $((now - began[index]))
  case ${protocol[index]} in
  tcp)
    if [[ $(</proc/net/tcp) == *" $remote 02 "* ]]; then finish "$index" dropped "$ms"
    else finish "$index" broken "$ms" 'connected, but nobody answered'; fi ;;
  udp)
    if ((no - no0 > told)); then finish "$index" broken "$ms" 'somebody said unreachable, and it is not known to which probe'
    else finish "$index" broken "$ms" 'the kernel has an answer that the probe did not tell'; fi ;;
  *) finish "$index" broken "$ms" 'the kernel has an answer that the probe did not tell, or none was asked for' ;;
  esac
}

for range in "${!groups[@]}"; do
  read -r -a order <<<"${groups[$range]}"
  if ! ports $range; then
    for index in "${order[@]}"; do say "$index" broken "0 0 not tried: $why"; done
    continue
  fi
  declare -a late=()
  pings=0 pongs=0 told=0 next=0
  count; out0=$out in0=$in no0=$no
  while ((next < ${#order[@]} || ${#due[@]} > 0)); do
    now
    while ((next < ${#order[@]} && ${#due[@]} < most)); do
      index=${order[next]}
      [[ -z ${busy["${protocol[index]} ${address[index]} ${port[index]}"]-} ]] || break
      launch "$index"
      ((next++))
      now
    done
    word=
    # The time may be over in the middle of a line: its rest comes with the next look.
    IFS= read -r -t 0.02 part <&4
    got=$?
    line+=$part
    if ((got == 0)); then
      read -r word index a b rest <<<"$line"
      line=
    fi
    now
    passed=$((now - last)) last=$now
    ((passed > look + grace)) && passed=$((look + grace))
    ((passed > 0)) && ((clock += passed))
    if [[ -n $word ]]; then
      # What is not awaited any more was given up.
      [[ -n ${due[index]-} ]] || { [[ $word != sent ]] || kill "$a" 2>/dev/null; continue; }
      case $word in
      sent) pid[index]=$a due[index]=$((clock + timeout)) ;;
      got)
        case "$a ${protocol[index]}" in
        'open icmp') ((pongs++)) ;;
        'refused udp' | 'rejected udp' | 'rejected icmp') ((told++)) ;;
        # One for each time that the kernel has knocked: at once, after 1 s, after 3 s.
        'rejected tcp') ((told += 1 + (${b%.*} > 900) + (${b%.*} > 2900))) ;;
        esac
        unset "pid[index]"
        finish "$index" "$a" "$b" "$rest" ;;
      esac
      # An answer that waits to be read is never missed.
      continue
    fi
    for index in "${!due[@]}"; do
      ((due[index] > clock)) || over "$index"
    done
  done
done
exec 5>&- 4<&-
kill "$pipe_PID" 2>/dev/null
echo "probed $round $name"

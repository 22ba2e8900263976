# The listeners of one probe task, where the host has socat and no better (Flatcar): each TCP connection is told the task's
# name, each UDP probe its nonce and the name. Ends with its standard input.
#   arguments: NAME, TCP ports, UDP ports (`9000,9001`, or `-`)
name=$1
children=()
trap 'kill "${children[@]}" 2>/dev/null; wait' EXIT
for port in ${2//[-,]/ }; do
  socat "TCP4-LISTEN:$port,reuseaddr,fork,backlog=512" "SYSTEM:echo mc01 $name" </dev/null &
  children+=($!)
done
exec 6>&1
export name
for port in ${3//[-,]/ }; do
  # One process for each datagram; what arrived is told past socat.
  socat "UDP4-RECVFROM:$port,reuseaddr,fork" \
    'SYSTEM:read -r word nonce; echo "arrived $nonce" >&6; echo "$word $nonce $name"' </dev/null &
  children+=($!)
done
# Open when all are.
for port in ${2//[-,]/ }; do
  for ((tries = 0; tries < 100; tries++)); do
    printf -v hex ':%04X 00000000:0000 0A' "$port"
    [[ $(</proc/net/tcp) == *"$hex"* ]] && break
    sleep 0.05
  done
done
for port in ${3//[-,]/ }; do
  for ((tries = 0; tries < 100; tries++)); do
    printf -v hex ':%04X 00000000:0000 07' "$port"
    [[ $(</proc/net/udp) == *"$hex"* ]] && break
    sleep 0.05
  done
done
echo "listening $name"
while read -r line; do
  # Until no datagram waits, and those that were taken have been told.
  for ((tries = 0; tries < 100; tries++)); do
    [[ $(</proc/net/udp) =~ 00000000:0000\ 07\ [0-9A-F]{8}:0*[1-9A-F] ]] || break
    sleep 0.05
  done
  sleep 0.1
  echo "drained $name $line"
done

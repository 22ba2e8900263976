# Sends one datagram by socat and tells what came back, in hexadecimal digits. Waits to the end, whatever comes.
#   arguments: NUMBER, ADDRESS, PORT, MS, HEX
seconds=$(($4 / 1000)).$((1000 + $4 % 1000))
seconds=${seconds/.1/.}
said=$({ printf "$(sed 's/../\\x&/g' <<<"$5")" | socat -t "$seconds" - "UDP4-CONNECT:$2:$3" | od -An -v -tx1 | tr -d ' \n'; } 2>&1)
case $said in
'') echo "told $1 silence" ;;
*'Connection refused'*) echo "told $1 refused" ;;
*[!0-9a-f]*) echo "told $1 broken ${said//$'\n'/ }" ;;
*) echo "told $1 answer $said" ;;
esac

# The other end of a TCP connection that is held open, run by bash in the network of a task. Each line on standard input is
# a time in milliseconds: it says something, and tells whether that came back by then. Ends with its standard input.
#   arguments: NAME, ADDRESS, PORT
trap '' PIPE
name=$1
exec 3<>"/dev/tcp/$2/$3" || { echo "uncalled $name there is no connection to $2, port $3"; exit; }
echo "called $name"
count=0
while read -r ms; do
  came=no
  if echo "$((++count))" >&3; then
    # What comes late is no answer to this one.
    while IFS= read -r -t "$((ms / 1000)).$((ms % 1000 / 100))" line <&3; do
      [[ $line != "$count" ]] || { came=yes; break; }
    done
  fi 2>/dev/null
  echo "nudged $name $came"
done

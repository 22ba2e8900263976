# One end of a TCP connection that is held open: says back what it is told. Ends with its standard input.
import select
import socket
import sys

name, port = sys.argv[1:3]
door = socket.socket()
door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
door.bind(("0.0.0.0", int(port)))
door.listen(8)
print("answering " + name)
sys.stdout.flush()
flows = []
while True:
    ready, _, _ = select.select([0, door] + flows, [], [])
    if 0 in ready and not sys.stdin.buffer.raw.read(4096):
        sys.exit(0)
    if door in ready:
        flows.append(door.accept()[0])
    for flow in [one for one in flows if one in ready]:
        try:
            data = flow.recv(4096)
            flow.sendall(data)
        except OSError:
            data = b""
        if not data:
            flow.close()
            flows.remove(flow)

# The listeners of one probe task: each TCP connection is told the task's name, each UDP probe its nonce and the name.
# Ends with its standard input.
import os
import select
import socket
import sys

name, tcp, udp = sys.argv[1:4]


def ports(text):
    return [int(word) for word in text.split(",") if word != "-"]


def say(line):
    os.write(1, (line + "\n").encode())


sockets = {}
for kind, list_ in ((socket.SOCK_STREAM, ports(tcp)), (socket.SOCK_DGRAM, ports(udp))):
    for port in list_:
        one = socket.socket(socket.AF_INET, kind)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("0.0.0.0", port))
        except OSError as error:
            say("port %d: %s" % (port, error.strerror))
            sys.exit(1)
        one.setblocking(False)
        if kind == socket.SOCK_STREAM:
            one.listen(512)
        sockets[one] = kind


def answer(one, kind):
    try:
        if kind == socket.SOCK_STREAM:
            connection, _ = one.accept()
            connection.sendall(("mc01 %s\n" % name).encode())
            connection.close()
            return
        data, peer = one.recvfrom(2048)
        words = data.decode("ascii", "replace").split()
        if len(words) == 2 and words[0] == "mc01" and words[1].isdigit():
            say("arrived " + words[1])
            one.sendto(("mc01 %s %s\n" % (words[1], name)).encode(), peer)
    except OSError:
        # Who asked has gone.
        pass


say("listening " + name)
rest = b""
while True:
    ready, _, _ = select.select([0] + list(sockets), [], [])
    for one in ready:
        if one != 0:
            answer(one, sockets[one])
    # Orders come last, after whatever waited for an answer.
    if ready == [0]:
        read = os.read(0, 4096)
        if not read:
            sys.exit(0)
        lines = (rest + read).split(b"\n")
        rest = lines.pop()
        for line in lines:
            say("drained %s %s" % (name, line.decode("ascii")))

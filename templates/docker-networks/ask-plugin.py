#!/usr/bin/python
# Asks a plugin of Docker whether it is there, and prints its answer: ask-plugin SOCKET. Python 2.7 and 3.
import socket
import sys

plugin = socket.socket(socket.AF_UNIX)
plugin.settimeout(5)
plugin.connect(sys.argv[1])
plugin.sendall(b"POST /Plugin.Activate HTTP/1.0\r\nHost: plugin\r\nContent-Length: 0\r\n\r\n")
answer = b""
while True:
    part = plugin.recv(65536)
    if not part:
        break
    answer += part
sys.stdout.write(answer.decode("utf-8"))

# Sends one datagram and tells what came back, in hexadecimal digits.
import binascii
import errno
import socket
import sys

number, address, port, ms, text = sys.argv[1:6]
door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
door.settimeout(int(ms) / 1000.0)
try:
    # A connected socket hears nobody else.
    door.connect((address, int(port)))
    door.send(binascii.unhexlify(text))
    print("told " + number + " answer " + binascii.hexlify(door.recv(4096)).decode())
except socket.timeout:
    print("told " + number + " silence")
except (OSError, socket.error) as error:
    refused = error.errno == errno.ECONNREFUSED
    print("told " + number + (" refused" if refused else " broken " + str(error)))

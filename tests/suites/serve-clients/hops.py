"""Asks a server on a port of [::], whose hop limit is 1, over IPv4 and over IPv6.

A socket that wants more hops left than 1 (IP_MINTTL, IPV6_MINHOPCOUNT of Linux) drops the server's packets, as
the first router would; a socket that wants one gets its answer.
"""

import socket
import sys

IP_MINTTL = 21
IPV6_MINHOPCOUNT = 73

port = int(sys.argv[1])
for family, address, level, option in (
    (socket.AF_INET, "127.0.0.1", socket.IPPROTO_IP, IP_MINTTL),
    (socket.AF_INET6, "::1", socket.IPPROTO_IPV6, IPV6_MINHOPCOUNT),
):
    for wanted in (1, 2):
        with socket.socket(family) as client:
            client.setsockopt(level, option, wanted)
            client.settimeout(10 if wanted == 1 else 2)
            try:
                client.connect((address, port))
                client.sendall(b"PUT /latest/api/token HTTP/1.0\r\nhost: localhost\r\n\r\n")
                answered = client.recv(12) == b"HTTP/1.0 200"
            except TimeoutError:
                answered = False
        assert answered == (wanted == 1), (address, wanted)
        print(f"{address}, {wanted} wanted: {'answered' if answered else 'out of reach'}")

"""A connection that broke must not break another in the same thread, with the image's own OpenSSL.

Python 3.13.5 with OpenSSL 3.5 leaves the EPIPE of one in the thread's error queue; without
`forget_errors` the installation of tests/cluster lost a call every few seconds to it.
"""

from __future__ import annotations

import subprocess

from tests.image import jail
from tests.image.build import Image

_SCRIPT = """
import socket, ssl, threading
from certs import issue
from webhook.server import tls

pair = issue.dev_pair(("localhost",))
for name, content in (("crt", pair.certificate), ("key", pair.key)):
    with open(f"/tmp/{name}", "wb") as file:
        file.write(content)
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain("/tmp/crt", "/tmp/key")
client = ssl.create_default_context(cadata=pair.authority.decode())

def connected():
    near, far = socket.socketpair()
    shaken = []
    def shake():
        shaken.append(client.wrap_socket(far, server_hostname="localhost"))
    other = threading.Thread(target=shake)
    other.start()
    here = server.wrap_socket(near, server_side=True)
    other.join()
    return here, shaken[0]

(broken, gone), (good, caller) = connected(), connected()
gone.close()
try:
    for _ in range(10):
        broken.send(b"an answer that nobody waits for")
except OSError as error:
    print(type(error).__name__)
tls.forget_errors()
good.setblocking(False)
try:
    good.recv(100)
except ssl.SSLWantReadError:
    print("waits")
caller.send(b"a call")
good.settimeout(10)
print(good.recv(100).decode())
"""


def test_what_one_connection_left_does_not_end_another(image: Image) -> None:
    done = subprocess.run(
        jail.command(image, "python", "-c", _SCRIPT), capture_output=True, text=True, check=False
    )

    assert done.stdout.splitlines() == ["BrokenPipeError", "waits", "a call"], done.stderr

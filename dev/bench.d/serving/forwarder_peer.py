"""A server that only forwards, forward.c: what the machine leaves to any server between the clients and Redis."""

import contextlib
import os
import subprocess

from client import Client
from processes import free_port, stop, wait_until
from redis_peer import port as redis_port

# As many as Larder has event loops.
THREADS = os.cpu_count()


@contextlib.contextmanager
def forwarding(binary, commands, log):
    """The server, as its port. `commands` is a file of what it sends to Redis."""
    port = free_port()
    command = [binary, port, redis_port(), commands, THREADS]
    with open(log, "wb") as output:
        process = subprocess.Popen([str(word) for word in command], stdout=output, stderr=output)
    try:
        wait_until(lambda: Client(port).status("/") == 200, process, log)
        yield port
    finally:
        stop(process)

"""Free TCP ports on the loopback address."""

import random
import socket

from deploy.errors import SetupError

LOOPBACK = "127.0.0.1"
# Below the range from which kernels lend ports to outgoing connections, so that a port kept from run to run is rarely taken.
RANGE = range(20_000, 32_000)
_TRIES = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None, avoid: frozenset[int] = frozenset()) -> int:
    """`preferred` when it is still free, else a free port outside `avoid`.

    Raises SetupError when none is found.
    """
    if preferred and preferred not in avoid and is_free(preferred):
        return preferred
    for port in random.sample(RANGE, _TRIES):
        if port not in avoid and is_free(port):
            return port
    raise SetupError(
        "本机 {first}–{last} 之间没有空闲端口。请关闭一些程序后再试。", first=RANGE.start, last=RANGE.stop - 1
    )


def chosen_port(port: int) -> int:
    """`port` for a server that people reach by it; 0 means any free one. Raises SetupError when something else listens there."""
    if port and not is_free(port):
        raise SetupError(
            "端口 {port} 已被别的程序占用。请换一个（--port），或用 --port 0 任选空闲端口。", port=port
        )
    return port or free_port()


def answers(port: int, hello: bytes = b"", expect: bytes = b"", timeout: float = 1.0) -> bool:
    """Whether a server on this loopback port accepts a connection and, after `hello`, sends bytes that begin with `expect`."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout) as connection:
            connection.settimeout(timeout)
            connection.sendall(hello)
            return not expect or connection.recv(len(expect)) == expect
    except OSError:
        return False

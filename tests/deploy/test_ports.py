"""Ports are free when they are handed out, and a taken one is never taken again."""

import socket

import pytest

from deploy import ports
from deploy.errors import SetupError


def test_a_free_preference_is_kept_and_a_taken_one_is_not() -> None:
    port = ports.free_port()
    assert ports.free_port(port) == port
    assert ports.free_port(port, frozenset({port})) != port
    with socket.create_server((ports.LOOPBACK, port)):
        assert not ports.is_free(port)
        assert ports.free_port(port) != port
        assert ports.answers(port)
        assert not ports.answers(port, b"hello", b"world", timeout=0.05)
    assert not ports.answers(port)


def test_no_port_left_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: False)
    with pytest.raises(SetupError, match="No free port"):
        ports.free_port()

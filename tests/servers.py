"""The private servers that tests run against: one PostgreSQL and, for the tests that ask, one RabbitMQ for the whole session."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import postgres, rabbitmq


def open_folder() -> Path:
    """A temporary folder that PostgreSQL's own user may enter, as pytest's may not be."""
    folder = Path(tempfile.mkdtemp(prefix="nuanlian-test-"))
    folder.chmod(0o711)
    return folder


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder of one test; servers still running in it afterwards are stopped."""
    folder = open_folder()
    yield folder
    rabbitmq.stop(folder)
    postgres.stop(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """One private PostgreSQL for the session; each test makes its own database on it."""
    folder = open_folder()
    server = postgres.start(folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[rabbitmq.Server]:
    """One private RabbitMQ for the session, booted when the first test asks for it."""
    folder = open_folder()
    server = rabbitmq.start(folder)
    yield server
    server.stop()
    shutil.rmtree(folder)

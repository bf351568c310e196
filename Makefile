# 暖链 Nuanlian. `make help` lists what can be made.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell command -v $(name) >/dev/null 2>&1 && \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
UV := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes
STAMPS := $(VENV)/.stamps
VENDOR := shared/web/static/vendor/.complete

.PHONY: help setup setup-dev assets demo test check bench lock clean system-packages

help: ## 列出全部命令 · list what can be made
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: $(STAMPS)/run $(STAMPS)/engine assets ## 安装运行所需的一切（PYTHON= 指定解释器） · all that running needs

setup-dev: $(STAMPS)/dev $(STAMPS)/engine assets ## 另装测试与检查工具 · the tools for tests and checks too

assets: $(VENDOR) ## 下载页面用的第三方文件 · third-party files for the pages

$(BIN)/python:
	@if [ -z "$(PYTHON)" ] || ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
		echo '需要 Python 3.11 或更新的版本。请先安装，或执行 make setup PYTHON=/路径/python3.11' >&2; \
		echo 'Python 3.11 or newer is needed. Install it, or run make setup PYTHON=/path/to/python3.11' >&2; exit 1; fi
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo '建立虚拟环境失败。在 Debian 或 Ubuntu 上请先执行 apt-get install python3-venv' >&2; \
		echo 'No virtual environment could be made. On Debian or Ubuntu run apt-get install python3-venv first' >&2; exit 1; }

# The project runs from its own folder: a path file puts it on the path, so that nothing needs to be built.
$(STAMPS)/run: requirements.lock | $(BIN)/python
	@echo '正在安装 Python 包… · installing Python packages…'
	@$(PIP) --requirement requirements.lock
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' | { read -r site; echo "$(CURDIR)" > "$$site/nuanlian.pth"; }
	@printf '#!/bin/sh\nexec "$$(dirname -- "$$0")/python" -m services "$$@"\n' > $(BIN)/nuanlian && chmod +x $(BIN)/nuanlian
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: requirements-dev.lock $(STAMPS)/run
	@echo '正在安装测试与检查工具… · installing the tools…'
	@$(PIP) --requirement requirements-dev.lock
	@touch $@

# The engine's loops are compiled now, not at the first round; what an earlier text of the engine left behind goes.
$(STAMPS)/engine: $(wildcard matching/*.py) | $(STAMPS)/run
	@echo '正在编译匹配引擎… · compiling the engine…'
	@rm -rf matching/__pycache__/compiled-*
	@$(BIN)/python -m matching.ahead
	@touch $@

$(VENDOR): deploy/assets/package-lock.json deploy/assets/fetch.py requirements-assets.lock | $(STAMPS)/run
	@$(BIN)/python -m deploy.assets.fetch
	@touch $@

demo: setup ## 用虚构数据演示（ONCE=1 演示后退出，DATABASE_URL= 用已有的服务器） · the whole job on invented data
	@$(BIN)/python -m services demo $(if $(ONCE),--once) $(if $(DATABASE_URL),--database-url '$(DATABASE_URL)')

system-packages: $(STAMPS)/run
	@$(BIN)/python -m deploy.debian rabbitmq-server chromium

test: setup-dev system-packages ## 全部测试 · every test
	@$(BIN)/python -m pytest -q

check: setup-dev ## 格式、类型与引用规则 · style, types and import rules
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup-dev ## 性能测试（ONLY=名称） · benchmarks
	@$(BIN)/python -m tests.bench $(ONLY)

lock: $(STAMPS)/run ## 重新锁定依赖的版本 · pin the dependencies anew
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --no-compile uv==$(UV)
	@options='--universal --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet'; \
	$(BIN)/uv pip compile $$options pyproject.toml --output-file requirements.lock; \
	$(BIN)/uv pip compile $$options pyproject.toml --group dev --constraint requirements.lock --output-file requirements-dev.lock; \
	$(BIN)/uv pip compile $$options requirements-assets.in --output-file requirements-assets.lock
	@$(BIN)/python -m deploy.assets.fetch --lock

clean: ## 删除可以重新生成的文件，不动 data/ · remove what can be made again, never data/
	@rm -rf $(VENV) shared/web/static/vendor build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

"""The `nuanlian` command."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from deploy import commands, modelling, planning, trying
from deploy.errors import SetupError, bilingual
from deploy.roles import RoleName
from deploy.secrets_files import write_secrets
from shared import logs
from shared.access import Role
from shared.errors import AidError
from shared.imports import Mode
from shared.settings import Settings

app = typer.Typer(
    help="暖链 Nuanlian", no_args_is_help=True, pretty_exceptions_show_locals=False, add_completion=False
)
account = typer.Typer(help="账号 · Accounts", no_args_is_help=True)
ledger = typer.Typer(help="审计链 · The ledger", no_args_is_help=True)
events = typer.Typer(help="事件 · Events", no_args_is_help=True)
model = typer.Typer(help="学习模型 · Learned models", no_args_is_help=True)
plan = typer.Typer(help="方案文件 · Exported plans", no_args_is_help=True)
app.add_typer(account, name="account")
app.add_typer(ledger, name="ledger")
app.add_typer(events, name="events")
app.add_typer(model, name="model")
app.add_typer(plan, name="plan")

Data = Annotated[Path, typer.Option(help="数据目录 · data folder", envvar="NUANLIAN_DATA")]
DatabaseUrl = Annotated[
    str | None, typer.Option(help="已有的 PostgreSQL · a server you have", envvar="NUANLIAN_DATABASE_URL")
]
BrokerUrl = Annotated[
    str | None, typer.Option(help="已有的 RabbitMQ · a broker you have", envvar="NUANLIAN_BROKER_URL")
]
Host = Annotated[str, typer.Option(help="监听地址 · address to listen on")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="端口，0 表示任选 · port, 0 for any free one")]
DATA = Path("data")


class Broker(StrEnum):
    none = "none"
    rabbitmq = "rabbitmq"


class ImportKind(StrEnum):
    households = "households"
    needs = "needs"
    offers = "offers"


@app.command()
def demo(
    data: Data = DATA / "demo",
    database_url: DatabaseUrl = None,
    once: Annotated[bool, typer.Option("--once", help="演示后退出 · end after the summary")] = False,
    host: Host = "127.0.0.1",
    port: Port = 0,
) -> None:
    """用虚构数据走完整件事 · The whole job on invented data, then serve until Ctrl-C."""
    from deploy.demo import run_demo

    asyncio.run(run_demo(data, database_url, once, host, port))


@app.command()
def up(
    data: Data = DATA,
    database_url: DatabaseUrl = None,
    broker_url: BrokerUrl = None,
    broker: Broker = Broker.none,
    host: Host = "127.0.0.1",
    port: Port = 8700,
    concurrency: Annotated[int, typer.Option(help="Celery 进程数 · Celery processes")] = 1,
) -> None:
    """启动 · Start: everything in one process, or with --broker rabbitmq a process per role."""
    commands.up(
        data,
        database_url,
        broker_url,
        broker is Broker.rabbitmq or broker_url is not None,
        host,
        port,
        concurrency,
    )


@app.command()
def run(
    role: RoleName,
    service: Annotated[list[str] | None, typer.Option(help="只运行这些服务 · only these services")] = None,
    host: Host = "127.0.0.1",
    port: Port = 8700,
    concurrency: int = 1,
) -> None:
    """运行一个角色 · Run one role; settings come from NUANLIAN_* or NUANLIAN_SECRETS_DIR."""
    from deploy.roles import run_role

    run_role(role, Settings(), service or [], host, port, concurrency)


@app.command()
def migrate(data: Data = DATA, database_url: DatabaseUrl = None) -> None:
    """更新数据库结构 · Bring the database schema up to date."""
    for name in commands.migrate(data, database_url):
        typer.echo(name)


@app.command("import")
def import_file(
    kind: ImportKind,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help=".xlsx / .csv")],
    data: Data = DATA,
    database_url: DatabaseUrl = None,
    preview: Annotated[bool, typer.Option("--preview", help="只检查 · check only")] = False,
    right_rows: Annotated[
        bool, typer.Option("--right-rows", help="写入没有错误的行 · write the right rows only")
    ] = False,
    accept_readings: Annotated[
        bool,
        typer.Option(
            "--accept-readings", help="采用有把握的文字判读 · accept confident readings of free text"
        ),
    ] = False,
    refused: Annotated[
        Path | None, typer.Option(help="被退回的行存到 · where the refused rows go (.xlsx)")
    ] = None,
) -> None:
    """导入户、需求或资源 · Import households, needs or offers."""
    mode: Mode = "preview" if preview else "right_rows" if right_rows else "whole"
    raise typer.Exit(
        commands.import_file(data, database_url, kind.value, file, mode, accept_readings, refused)
    )


@app.command()
def sample(
    households: Annotated[int, typer.Option(min=1, max=1_000_000)] = 300,
    seed: int = 1,
    out: Annotated[Path, typer.Option(help="存放目录 · folder to write to")] = Path("sample"),
) -> None:
    """生成虚构样例 · Write an invented sample of any size."""
    commands.sample(households, seed, out)


@account.command("create")
def account_create(
    login: str,
    name: Annotated[str, typer.Option(prompt="姓名 · Name")],
    role: Annotated[Role, typer.Option(help="角色 · role")],
    area: Annotated[str, typer.Option(help="12 位地区代码 · 12-digit area code")] = "445300000000",
    charity: Annotated[str | None, typer.Option(help="机构名称 · the charity's name")] = None,
    data: Data = DATA,
    database_url: DatabaseUrl = None,
) -> None:
    """新建账号，密码只显示一次 · Create an account; the password is shown once."""
    typer.echo(commands.create_account(data, database_url, login, name, role, area, charity))


@account.command("password")
def account_password(login: str, data: Data = DATA, database_url: DatabaseUrl = None) -> None:
    """换新密码，只显示一次 · Give a login a new password; it is shown once."""
    typer.echo(commands.new_password(data, database_url, login))


@ledger.command("verify")
def ledger_verify(data: Data = DATA, database_url: DatabaseUrl = None) -> None:
    """核对审计链 · Check the chain and that outbox and ledger agree; the first bad entry is named."""
    verdict = commands.verify_ledger(data, database_url)
    typer.echo(json.dumps(verdict, ensure_ascii=False))
    raise typer.Exit(0 if verdict["ok"] else 1)


@events.command("quarantined")
def events_quarantined(data: Data = DATA, database_url: DatabaseUrl = None) -> None:
    """被隔离的事件 · Deliveries that keep failing."""
    for line in commands.quarantined(data, database_url):
        typer.echo(json.dumps(line, ensure_ascii=False, default=str))


@events.command("replay")
def events_replay(
    consumer: Annotated[str, typer.Option(help="只重放这个服务 · only this service")] = "",
    data: Data = DATA,
    database_url: DatabaseUrl = None,
) -> None:
    """重放被隔离的事件 · Give quarantined deliveries another round of tries."""
    typer.echo(commands.replay(data, database_url, consumer))


@model.command("list")
def model_list(data: Data = DATA, database_url: DatabaseUrl = None) -> None:
    """列出模型 · Models, latest first; the state `champion` ranks now, without one the rules do."""
    for line in modelling.listed(data, database_url):
        typer.echo(json.dumps(line, ensure_ascii=False))


@model.command("train")
def model_train(data: Data = DATA, database_url: DatabaseUrl = None) -> None:
    """从决定中学一个新模型 · Learn a challenger from the decisions so far."""
    typer.echo(json.dumps(modelling.train(data, database_url), ensure_ascii=False))


@model.command("promote")
def model_promote(
    number: int,
    reason: Annotated[str, typer.Option(help="有对象变差时的理由 · why, when a group is served worse")] = "",
    data: Data = DATA,
    database_url: DatabaseUrl = None,
) -> None:
    """启用一个模型 · Put a model in force."""
    typer.echo(json.dumps(modelling.promote(data, database_url, number, reason), ensure_ascii=False))


@model.command("rules")
def model_rules(data: Data = DATA, database_url: DatabaseUrl = None) -> None:
    """恢复按规则排序 · Back to the rules."""
    typer.echo(json.dumps(modelling.rules(data, database_url), ensure_ascii=False))


@plan.command("export")
def plan_export(
    file: Annotated[Path, typer.Argument(help=".plan.npz")],
    data: Data = DATA,
    database_url: DatabaseUrl = None,
) -> None:
    """按现在的需求和资源试算一次并写成方案文件，不改动看板 · Plan what is open now and write the plan with its proof.

    写出的文件可用 plan verify 核对。文件只有编号和数量，没有个人信息。

    The file can be checked by plan verify. It holds identifiers and quantities, nobody's personal data.
    """
    typer.echo(json.dumps(planning.export(data, database_url, file), ensure_ascii=False))


@plan.command("verify")
def plan_verify(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help=".plan.npz")],
    for_machines: Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")] = False,
) -> None:
    """核对方案文件，不用数据库也不用求解程序 · Check an exported plan from the file alone.

    每户每份资源给的数量、总分、上界、差距和公平都重新计算。通过时退出码为 0，不通过为 1 并列出全部错误，读不了为 2。

    Quantities, total score, upper bound, gap and fairness are worked out anew, without the solver. Ends with 0 when the
    plan holds, with 1 and every fault when it doesn't, with 2 when the file can't be read.
    """
    raise typer.Exit(planning.verify_file(file, for_machines))


@plan.command("try")
def plan_try(
    scenario: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="试算文件 · scenario file, .toml")
    ],
    data: Data = DATA,
    database_url: DatabaseUrl = None,
    for_machines: Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")] = False,
    out: Annotated[
        Path | None, typer.Option(help="试算的方案存到 · where the scenario's plan goes (.plan.npz)")
    ] = None,
) -> None:
    """试算：换了设置、资源或需求会怎样，不改动看板 · What would be different under a scenario, without any effect.

    文件的写法见 deploy/sample/more-fans.toml。文件有错时列出全部错误，退出码为 2；错误的位置从 1 数起。

    deploy/sample/more-fans.toml shows how a scenario is written. A wrong file ends with 2 and every fault; places in the
    file are counted from 1.
    """
    raise typer.Exit(trying.try_scenario(data, database_url, scenario, out, for_machines))


@app.command()
def secrets(out: Path = Path("deploy/secrets")) -> None:
    """生成容器要用的密钥文件 · Write the secret files that docker compose mounts."""
    for path in write_secrets(out):
        typer.echo(path)


@app.command()
def documents(out: Path = Path("deploy/api")) -> None:
    """写出 OpenAPI 和 AsyncAPI 文档 · Write the OpenAPI and AsyncAPI documents."""
    commands.write_documents(out)


def main() -> None:
    """Run the command; what can't be set up is said in both languages and ends with 2."""
    logs.configure(os.environ.get("NUANLIAN_LOG_LEVEL", "INFO"))
    try:
        app()
    except SetupError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from None
    except AidError as error:
        typer.echo(commands.explained(error), err=True)
        raise SystemExit(2) from None
    except (
        ConnectionError,
        socket.gaierror,
        asyncpg.exceptions.ClientConfigurationError,
        asyncpg.InvalidAuthorizationSpecificationError,
        asyncpg.InvalidCatalogNameError,
    ):
        typer.echo(bilingual("连不上数据库。请核对地址、用户名和密码，并确认服务器已经启动。"), err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()

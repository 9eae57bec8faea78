# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Starting and stopping a sandbox."""

import dataclasses
import importlib.util
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Callable

from trove_ext.sandbox import clouds, database, state, supervise, swift_config
from trove_ext.sandbox.guest.postgresql import programs as postgresql
from trove_ext.sandbox.state import SandboxError, Settings, StateDir

KEYSTONE, SWIFT, DATABASE, TROVE = "keystone", "swift", "db", "trove"
SERVICES = (DATABASE, KEYSTONE, SWIFT, TROVE)
#: The packages of the extra "sandbox" that contain the services.
PACKAGES = ("keystone", "swift", "trove")
# On a busy machine the first start in a new environment takes minutes.
_START_SECONDS = 300.0
_END_SECONDS = 10.0
_HTTP_SECONDS = 5.0

Report = Callable[[str], None]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=_HTTP_SECONDS):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def check_machine() -> None:
    """Raise SandboxError if a sandbox can't run here."""
    if sys.platform != "linux":
        raise SandboxError(
            "The sandbox needs Linux: only there all of 127.0.0.0/8 is loopback"
        )
    missing = [
        package for package in PACKAGES if importlib.util.find_spec(package) is None
    ]
    if missing:
        raise SandboxError(
            f"The sandbox needs {', '.join(missing)}: pip install 'trove-ext[sandbox]'"
        )


def addresses(settings: Settings) -> dict[str, str]:
    """Return the address of each service, by its name."""
    return {
        DATABASE: f"{settings.database_address}:{state.DATABASE_PORT}",
        KEYSTONE: settings.auth_url,
        SWIFT: settings.store_url,
        TROVE: settings.database_url,
    }


def services(settings: Settings) -> tuple[str, ...]:
    """Return the names of the services of a sandbox, or of another region of one."""
    return SERVICES if settings.is_main else (DATABASE, TROVE)


def running(where: StateDir) -> list[supervise.Process]:
    """Return those of its services that are running."""
    found = [supervise.find(where, name) for name in SERVICES]
    return [process for process in found if process is not None]


def up(
    where: StateDir,
    report: Report,
    *,
    token_seconds: int,
    rate: int,
    agent_seconds: int,
) -> bool:
    """Start what isn't running; return whether there was anything to start.

    Raises SandboxError with one line that names the obstacle.
    """
    check_machine()
    where.check()
    if where.exists() and len(running(where)) == len(SERVICES):
        return False
    with where.lock():
        settings = _settings(where, token_seconds, rate, agent_seconds)
        _start_checked(where, settings, report)
    return True


def start_again(where: StateDir, report: Report) -> bool:
    """Start what isn't running of a sandbox, or a region, that has settings.

    Returns whether there was anything to start; raises SandboxError.
    """
    settings = where.settings()
    if len(running(where)) == len(services(settings)):
        return False
    with where.lock():
        _start_checked(where, settings, report)
    return True


def _start_checked(where: StateDir, settings: Settings, report: Report) -> None:
    _check_engine(settings)
    _check_free(where, settings)
    _start(where, settings, report)


def _settings(
    where: StateDir, token_seconds: int, rate: int, agent_seconds: int
) -> Settings:
    where.make()
    swift_config.check_attributes(where.root)
    if where.exists():
        return _with_postgresql(where, where.settings())
    engine = database.engine_version()
    settings = state.choose(engine, token_seconds, rate, agent_seconds)
    clouds.write_first(where, settings)
    return _with_postgresql(where, settings)


def _with_postgresql(where: StateDir, settings: Settings) -> Settings:
    """Save the settings, with the PostgreSQL of this machine unless they have one."""
    if settings.postgresql is None:
        found = postgresql.version()
        settings = dataclasses.replace(settings, postgresql=found)
    where.save(settings)
    return settings


def _check_engine(settings: Settings) -> None:
    _check_version("MariaDB", settings.engine, database.engine_version())
    installed = postgresql.version()
    # Without it the sandbox still runs, but not its instances.
    if settings.postgresql and installed:
        _check_version("PostgreSQL", settings.postgresql, installed)


def _check_version(title: str, of_the_data: str, installed: str) -> None:
    if of_the_data != installed:
        raise SandboxError(
            f"The data were written by {title} {of_the_data}, installed is {installed}:"
            " trove-sandbox reset makes room for a new sandbox"
        )


def _check_free(where: StateDir, settings: Settings) -> None:
    """Raise SandboxError if another program uses one of the sandbox's ports."""
    wanted = {
        KEYSTONE: ("127.0.0.1", settings.keystone_port),
        SWIFT: ("127.0.0.1", settings.swift_port),
        TROVE: ("127.0.0.1", settings.trove_port),
        DATABASE: (settings.database_address, state.DATABASE_PORT),
    }
    missing = set(services(settings)) - {process.name for process in running(where)}
    for name, (address, port) in wanted.items():
        if name in missing and not state.is_free(address, port):
            raise SandboxError(
                f"Port {port} on {address}, which {name} needs, is taken by another"
                " program: stop that, or choose anew with trove-sandbox reset"
            )


def _start(where: StateDir, settings: Settings, report: Report) -> None:
    # All at once: the others load their programs while the database is created.
    started = {
        name: supervise.find(where, name) or _python(where, name)
        for name in services(settings)
        if name != DATABASE
    }
    base = supervise.find(where, DATABASE)
    if base is None:
        verb = "Starting" if where.database.is_dir() else "Preparing"
        report(f"{verb} the database")
        command = database.prepare(where, settings)
        base = supervise.start(where, DATABASE, command)
    report("Waiting for the database")
    supervise.wait(base, lambda: database.answers(settings), _START_SECONDS, where)
    urls = addresses(settings)
    for name, process in started.items():
        report(f"Waiting for {name.capitalize()}")
        _wait(where, process, urls[name])


def _wait(where: StateDir, process: supervise.Process, url: str) -> None:
    supervise.wait(process, lambda: _answers(url), _START_SECONDS, where)


def _python(where: StateDir, name: str) -> supervise.Process:
    module = f"trove_ext.sandbox.{name}_server"
    command = [sys.executable, "-W", "ignore", "-m", module, str(where.root)]
    return supervise.start(where, name, command)


def down(where: StateDir, report: Report) -> bool:
    """End all processes, keep the data; return whether there was any process."""
    with where.lock():
        found = supervise.programs_of(where)
        for title, group in _in_order(where, found):
            report(title)
            supervise.end(group, _END_SECONDS)
        # Processes that the ended ones had started meanwhile.
        supervise.end(supervise.programs_of(where), _END_SECONDS)
        return bool(found)


def _in_order(
    where: StateDir, found: list[supervise.Process]
) -> list[tuple[str, list[supervise.Process]]]:
    """Trove first, so it can't restart an instance; its own database last."""
    by_pid = {process.pid: process.name for process in running(where)}
    groups: dict[str, list[supervise.Process]] = {TROVE: [], "": [], DATABASE: []}
    for process in found:
        name = by_pid.get(process.pid, "")
        groups[name if name in groups else ""].append(process)
    titles = (
        "Ending Trove",
        "Ending Keystone, Swift and instances",
        "Ending the database",
    )
    ordered = zip(titles, groups.values(), strict=True)
    return [(title, group) for title, group in ordered if group]


def reset(where: StateDir, report: Report) -> None:
    """End all processes and remove the directory.

    Raises ForeignDirectoryError if the directory does not belong to a sandbox.
    """
    if not where.root.is_dir():
        return
    if not where.exists():
        where.check()
    down(where, report)
    shutil.rmtree(where.root)

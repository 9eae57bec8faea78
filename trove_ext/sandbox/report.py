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

"""What ``status`` and ``logs`` print."""

import dataclasses
import json
import subprocess
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trove_ext.sandbox import inventory, lifecycle
from trove_ext.sandbox.state import SandboxError, StateDir

_SOURCES = {"keystone": "keystone.log", "trove": "trove.log", "db": "db.out"}


def table(rows: Sequence[Sequence[object]]) -> str:
    """Format rows in columns; the first row is the headings."""
    cells = [["-" if cell in {None, ""} else str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    ]
    return "\n".join(line.rstrip() for line in lines)


def status(where: StateDir) -> dict[str, Any]:
    """Collect the state of a sandbox, in types that JSON supports."""
    settings = where.settings()
    pids = {process.name: process.pid for process in lifecycle.running(where)}
    seeded = [row for row in inventory.servers(where) if row.get("seeded")]
    return {
        "directory": str(where.root),
        "engine": f"MariaDB {settings.engine}",
        "postgresql": settings.postgresql,
        "addresses": f"127.77.{settings.block}.0/24",
        "services": [
            {"name": name, "pid": pids.get(name), "address": address}
            for name, address in lifecycle.addresses(settings).items()
        ],
        "instances": [
            dataclasses.asdict(member) | {"data": str(member.data)}
            for member in inventory.members(where, settings)
        ],
        "seeded_instances": len(seeded),
    }


def as_json(found: dict[str, Any]) -> str:
    """Format a status for programs."""
    return json.dumps(found, indent=2)


def as_text(found: dict[str, Any]) -> str:
    """Format a status for people."""
    head = (
        f"Directory: {found['directory']}\n"
        f"Engines: {_engines(found)}\n"
        f"Instances' addresses: {found['addresses']}\n"
    )
    services = [("SERVICE", "PID", "ADDRESS")]
    services += [(s["name"], s["pid"], s["address"]) for s in found["services"]]
    parts = [head, table(services)]
    if found["instances"]:
        parts += ["", _instances(found["instances"])]
    if found["seeded_instances"]:
        parts += ["", f"Created by seed, without a host: {found['seeded_instances']}"]
    return "\n".join(parts)


def _engines(found: dict[str, Any]) -> str:
    mariadb = f"{found['engine']} on port 3306 (mariadb, mysql)"
    if not found["postgresql"]:
        return f"{mariadb}; no PostgreSQL"
    return f"{mariadb}, PostgreSQL {found['postgresql']} on port 5432 (postgresql)"


def _instances(members: list[dict[str, Any]]) -> str:
    keys = ("id", "name", "address", "pid", "role", "host", "data")
    rows: list[Sequence[object]] = [[key.upper() for key in keys]]
    rows += [[member[key] for key in keys] for member in members]
    return table(rows)


def log_file(where: StateDir, source: str) -> Path:
    """Return the log of a service or of an instance's database server.

    Raises SandboxError if there is no such thing.
    """
    if source in _SOURCES:
        return where.logs / _SOURCES[source]
    row = inventory.find(where, source)
    if row is None:
        raise SandboxError(
            f"{source} is neither an instance here nor one of {', '.join(_SOURCES)}"
        )
    layout = inventory.engine_of(row).layout(where.instances / row["instance_id"])
    return layout.error_log


def last_lines(path: Path, number: int) -> str:
    """Return the end of a file; raises SandboxError if there is no such file."""
    try:
        with path.open(errors="replace") as handle:
            return "".join(deque(handle, maxlen=number))
    except FileNotFoundError:
        raise SandboxError(f"{path} has not been written yet") from None


def follow(path: Path, number: int) -> int:
    """Print a file as it grows, until interrupted."""
    try:
        return subprocess.run(
            ["tail", "-n", str(number), "-F", str(path)], check=False
        ).returncode
    except KeyboardInterrupt:
        return 130

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

"""An example of each command, shown at the end of its help."""

from __future__ import annotations

PROGRAM = "openstack"

#: The arguments of the examples, by command.
EXAMPLES = {
    "database backup chain delete": ("db1-full-1 --wait",),
    "database backup chain list": ("--instance db1",),
    "database backup chain show": ("db1-incremental-3",),
    "database backup check": (
        "db1 db2 --max-age 26h",
        "--all --nagios --warning 26h --critical 50h",
    ),
    "database backup policy show": ("backups.yaml",),
    "database backup prune": ("db1 --keep-daily 7 --keep-weekly 4 --dry-run",),
    "database backup register": (
        "db1-full-1 --to-region Two",
        "latest-full --instance db1 --to-region Two",
    ),
    "database backup restore": (
        "db1-incremental-3 db1-restored --wait",
        "--instance db1 db1-restored --wait",
        "db1-full-1 db1-new --datastore-version 8.0",
    ),
    "database backup rotate": (
        "db1 --full-every 7d --keep-daily 14",
        "--all --full-every 7d --keep-daily 14",
        "--policy backups.yaml",
        "--all --keep-daily 14 --dry-run",
    ),
    "database backup verify": (
        "db1-incremental-3 --expect-database shop",
        "db1-full-1 --query 'SELECT 1' --expect 1",
        "--instance db1",
        "--all --exclude 'test-*'",
        "--policy backups.yaml",
    ),
    "database backup wait": ("db1-incremental-3 --timeout 1800",),
    "database instance clone": ("db1 db1-copy", "db1 db1-copy --from latest"),
    "database instance status": ("db1", "db1 --watch 10"),
    "database instance wait": ("db1", "db2 --for replica-of=db1"),
    "database replica create": (
        "db1 db1-replica --count 2 --wait",
        "db1-replica --source db1 --wait",
    ),
    "database replica detach": ("db1-replica-2 --wait",),
    "database replica failover": ("db1 --wait", "db1 --to db1-replica-1 --wait"),
    "database replica list": ("", "--source db1"),
    "database replica promote": (
        "db1-replica-1 --probe --wait",
        "db1-replica-1 --fence",
    ),
    "database replica replace": (
        "db1-replica-2",
        "db1-old --source db1-replica-1 --yes",
    ),
    "database replica restart": ("db1 --pending", "db1 --switchover"),
    "database replica show": ("db1 --probe", "db1 --probe --nagios"),
}


def lines(command: str) -> list[str]:
    """Return the examples of a command, as they are typed; none if it has none.

    :param command: its words, with or without the program before them
    """
    words = command.removeprefix(f"{PROGRAM} ")
    return [
        f"{PROGRAM} {words} {arguments}".strip()
        for arguments in EXAMPLES.get(words, ())
    ]


def paragraph(command: str) -> str:
    """Return the examples as reStructuredText, empty if there is none."""
    shown = lines(command)
    if not shown:
        return ""
    heading = "Example::" if len(shown) == 1 else "Examples::"
    return "\n".join([heading, "", *(f"    {line}" for line in shown)])

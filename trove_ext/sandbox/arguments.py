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

"""The options of ``trove-sandbox``; each command names the function that runs it."""

import argparse
import os
from typing import Any

from trove_ext.sandbox import policies
from trove_ext.sandbox.clouds import CLOUD
from trove_ext.sandbox.faults import POINTS
from trove_ext.sandbox.state import default_root

_TOKEN_SECONDS = 86400
_RATE = 100000
_AGENT_SECONDS = 20
_TEXT = "Injected by trove-sandbox"


def parser(description: str | None) -> argparse.ArgumentParser:
    """Build the parser of the whole command."""
    top = argparse.ArgumentParser(prog="trove-sandbox", description=description)
    top.add_argument(
        "--dir",
        default=str(default_root()),
        help="state directory; each is a sandbox of its own (default: %(default)s)",
    )
    commands = top.add_subparsers(metavar="<command>", required=True)
    _add_life(commands)
    _add_reports(commands)
    _add_fault(commands)
    _add_policy(commands)
    _add_project(commands)
    _add_region(commands)
    _add_seed(commands)
    return top


def _add(commands: Any, name: str, run: str, text: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text
    )
    made.set_defaults(run=run)
    return made


def _setting(name: str, value: int) -> int:
    return int(os.environ.get(f"TROVE_SANDBOX_{name}", value))


def _add_life(commands: Any) -> None:
    text = "start the sandbox and print the environment variables to export"
    up = _add(commands, "up", "up", text)
    up.add_argument(
        "--token-seconds",
        type=int,
        default=_setting("TOKEN_SECONDS", _TOKEN_SECONDS),
        metavar="<seconds>",
        help="lifetime of a token; fixed by the first up (default: %(default)s)",
    )
    up.add_argument(
        "--rate",
        type=int,
        default=_setting("RATE", _RATE),
        metavar="<number>",
        help="how many requests of each method Trove accepts from a user in a minute;"
        " fixed by the first up (default: %(default)s)",
    )
    up.add_argument(
        "--agent-seconds",
        type=int,
        default=_setting("AGENT_SECONDS", _AGENT_SECONDS),
        metavar="<seconds>",
        help="how long Trove waits for a guest agent that is at work; more on a busy"
        " machine; fixed by the first up (default: %(default)s)",
    )
    _add(commands, "down", "down", "stop the sandbox and keep its data")
    _add(commands, "reset", "reset", "stop the sandbox and remove its data")


def _add_reports(commands: Any) -> None:
    status = _add(commands, "status", "status", "show processes and instances")
    status.add_argument(
        "-f",
        "--format",
        choices=["table", "json"],
        default="table",
        help="output format (default: %(default)s)",
    )
    _add(commands, "env", "env", "print the environment variables to export")
    logs = _add(commands, "logs", "logs", "show the end of a log")
    logs.add_argument(
        "source",
        nargs="?",
        default="trove",
        metavar="<source>",
        help="trove, keystone, db, or an instance (name or ID; default: %(default)s)",
    )
    logs.add_argument(
        "-n",
        type=int,
        default=20,
        metavar="<lines>",
        help="number of lines (default: %(default)s)",
    )
    logs.add_argument(
        "--follow", action="store_true", help="print new lines until interrupted"
    )


def _add_fault(commands: Any) -> None:
    fault = commands.add_parser(
        "fault", help="make operations fail, and clear the faults again"
    )
    verbs = fault.add_subparsers(metavar="<verb>", required=True)
    _add_fault_set(verbs)
    listing = _add(verbs, "list", "fault_list", "show the faults that are set")
    listing.add_argument(
        "-f",
        "--format",
        choices=["table", "json"],
        default="table",
        help="output format (default: %(default)s)",
    )
    clear = _add(
        verbs, "clear", "fault_clear", "clear all faults, or those of one point"
    )
    clear.add_argument(
        "point",
        nargs="?",
        metavar="<point>",
        help="fault point; as listed, with its target, for a single fault",
    )
    for name, text in (
        (
            "kill-database",
            "kill an instance's database server; its guest agent keeps running",
        ),
        ("stop-replication", "stop a replica's replication without Trove noticing"),
        ("host-off", "power an instance's host off"),
        ("host-on", "power an instance's host on again"),
    ):
        verb = _add(verbs, name, f"fault_{name.replace('-', '_')}", text)
        verb.add_argument(
            "instance", metavar="<instance>", help="instance (name or ID)"
        )


def _add_fault_set(verbs: Any) -> None:
    points = "; ".join(f"{point}: {text}" for point, text in POINTS.items())
    made = _add(
        verbs, "set", "fault_set", f"make an operation fail. Fault points: {points}"
    )
    made.add_argument(
        "point", choices=list(POINTS), metavar="<point>", help="fault point"
    )
    strikes = made.add_mutually_exclusive_group()
    strikes.add_argument(
        "--instance",
        metavar="<instance>",
        help="only for this instance (name or ID), which may not exist yet",
    )
    strikes.add_argument(
        "--cloud",
        metavar="<cloud>",
        help="only for requests of this cloud's project (slow-*)",
    )
    made.add_argument("--once", action="store_true", help="fail only once")
    made.add_argument(
        "--text",
        default=_TEXT,
        metavar="<text>",
        help="text of the error (default: %(default)s)",
    )
    how = made.add_mutually_exclusive_group()
    how.add_argument(
        "--sleep", type=float, metavar="<seconds>", help="delay instead of failing"
    )
    how.add_argument(
        "--hang", action="store_true", help="hang until the fault is cleared"
    )


def _add_policy(commands: Any) -> None:
    policy = commands.add_parser("policy", help="make Trove refuse actions with 403")
    verbs = policy.add_subparsers(metavar="<verb>", required=True)
    forbid = _add(verbs, "forbid", "policy_forbid", "allow an action only to admins")
    forbid.add_argument(
        "action",
        metavar="<action>",
        help=f"{', '.join(policies.RULES)}, or the name of any policy rule of Trove",
    )
    forbid.add_argument(
        "--cloud", metavar="<cloud>", help="only in this cloud's project"
    )
    _add(verbs, "list", "policy_list", "show the policy rules that were changed")
    _add(verbs, "clear", "policy_clear", "restore Trove's own policy rules")


def _add_project(commands: Any) -> None:
    project = commands.add_parser("project", help="create more projects")
    verbs = project.add_subparsers(metavar="<verb>", required=True)
    create = _add(
        verbs,
        "create",
        "project_create",
        "create a project with a user, add its cloud to clouds.yaml, print its name",
    )
    create.add_argument(
        "name", metavar="<name>", help="name of the project, the user and the cloud"
    )


def _add_region(commands: Any) -> None:
    region = commands.add_parser("region", help="create more regions")
    verbs = region.add_subparsers(metavar="<verb>", required=True)
    create = _add(
        verbs,
        "create",
        "region_create",
        "start a Trove for another region, over the same Keystone and object store,"
        " and print its name; use it with --os-region-name",
    )
    create.add_argument("name", metavar="<name>", help="name of the region")


def _add_seed(commands: Any) -> None:
    seed = _add(
        commands, "seed", "seed", "fill a project with made-up instances and backups"
    )
    seed.add_argument(
        "--instances",
        type=int,
        default=1000,
        metavar="<n>",
        help="number of instances (default: %(default)s)",
    )
    seed.add_argument(
        "--backups",
        type=int,
        default=10000,
        metavar="<n>",
        help="number of backups (default: %(default)s)",
    )
    seed.add_argument(
        "--without-version",
        action="store_true",
        help="make backups without a datastore version, which Trove lists in a"
        " tenth of the time",
    )
    seed.add_argument(
        "--cloud",
        default=CLOUD,
        metavar="<cloud>",
        help="cloud whose project is filled (default: %(default)s)",
    )

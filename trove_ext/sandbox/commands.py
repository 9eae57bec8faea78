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

"""The commands of ``trove-sandbox``: each calls one function and prints its result.

Results go to stdout, everything else to stderr. The names are those in ``arguments``.
"""

import argparse
import json
import sys

from trove_ext.sandbox import (
    breakage,
    clouds,
    lifecycle,
    policies,
    projects,
    regions,
    report,
)
from trove_ext.sandbox import (
    seed as seeding,
)
from trove_ext.sandbox.faults import Faults
from trove_ext.sandbox.guest.postgresql import programs as postgresql
from trove_ext.sandbox.progress import Progress
from trove_ext.sandbox.state import StateDir


def say(text: str) -> None:
    """Write a message that is not a result to stderr."""
    print(text, file=sys.stderr, flush=True)


def up(args: argparse.Namespace, where: StateDir) -> int:
    """Start the sandbox and print what to export."""
    with Progress(sys.stderr) as progress:
        started = lifecycle.up(
            where,
            progress.step,
            token_seconds=args.token_seconds,
            rate=args.rate,
            agent_seconds=args.agent_seconds,
        )
    if not started:
        say(f"The sandbox in {where.root} is already running.")
    obstacle = postgresql.obstacle()
    if obstacle is not None:
        say(f"PostgreSQL instances are not available: {obstacle}.")
    print(clouds.exports(where))
    return 0


def down(_args: argparse.Namespace, where: StateDir) -> int:
    """End the sandbox's processes."""
    where.settings()
    with Progress(sys.stderr) as progress:
        ended = lifecycle.down(where, progress.step)
    if not ended:
        say(f"The sandbox in {where.root} was not running.")
    return 0


def reset(_args: argparse.Namespace, where: StateDir) -> int:
    """End the sandbox's processes and remove its data."""
    with Progress(sys.stderr) as progress:
        lifecycle.reset(where, progress.step)
    return 0


def status(args: argparse.Namespace, where: StateDir) -> int:
    """Print processes and instances."""
    found = report.status(where)
    print(report.as_json(found) if args.format == "json" else report.as_text(found))
    return 0


def env(_args: argparse.Namespace, where: StateDir) -> int:
    """Print what to export."""
    where.settings()
    print(clouds.exports(where))
    return 0


def logs(args: argparse.Namespace, where: StateDir) -> int:
    """Print the end of a log, and follow it if that is asked for."""
    where.settings()
    path = report.log_file(where, args.source)
    if args.follow:
        return report.follow(path, args.n)
    sys.stdout.write(report.last_lines(path, args.n))
    return 0


def fault_set(args: argparse.Namespace, where: StateDir) -> int:
    """Set a fault."""
    where.settings()
    fault = breakage.make(
        args.point,
        text=args.text,
        sleep=args.sleep,
        hang=args.hang,
        once=args.once,
        target=breakage.target(where, args.instance, args.cloud),
    )
    Faults(where.root).set(fault)
    return 0


def fault_list(args: argparse.Namespace, where: StateDir) -> int:
    """Print the faults that are set."""
    where.settings()
    faults = Faults(where.root).list()
    if args.format == "json":
        rows = [{"point": f.name, "action": f.text} for f in faults]
        print(json.dumps(rows, indent=2))
    else:
        print(report.table([("POINT", "ACTION"), *((f.name, f.text) for f in faults)]))
    return 0


def fault_clear(args: argparse.Namespace, where: StateDir) -> int:
    """Clear faults."""
    where.settings()
    Faults(where.root).clear(args.point)
    return 0


def fault_kill_database(args: argparse.Namespace, where: StateDir) -> int:
    """Kill an instance's database server."""
    where.settings()
    breakage.kill_database(where, args.instance)
    return 0


def fault_stop_replication(args: argparse.Namespace, where: StateDir) -> int:
    """Stop a replica's replication."""
    where.settings()
    breakage.stop_replication(where, args.instance)
    return 0


def fault_host_off(args: argparse.Namespace, where: StateDir) -> int:
    """Switch an instance's host off."""
    where.settings()
    breakage.host_off(where, args.instance)
    return 0


def fault_host_on(args: argparse.Namespace, where: StateDir) -> int:
    """Switch an instance's host on."""
    where.settings()
    breakage.host_on(where, args.instance)
    return 0


def policy_forbid(args: argparse.Namespace, where: StateDir) -> int:
    """Make Trove refuse an action."""
    where.settings()
    project_id = projects.project_id(where, args.cloud) if args.cloud else None
    policies.forbid(where.policy, args.action, project_id)
    return 0


def policy_list(_args: argparse.Namespace, where: StateDir) -> int:
    """Print the rules that were changed."""
    where.settings()
    rules = policies.read(where.policy)
    print(report.table([("RULE", "WHO MAY"), *rules.items()]))
    return 0


def policy_clear(_args: argparse.Namespace, where: StateDir) -> int:
    """Clear all changed rules."""
    where.settings()
    policies.clear(where.policy)
    return 0


def project_create(args: argparse.Namespace, where: StateDir) -> int:
    """Create a project and print the name of its cloud."""
    print(projects.create(where, args.name))
    return 0


def region_create(args: argparse.Namespace, where: StateDir) -> int:
    """Start the Trove of another region."""
    with Progress(sys.stderr) as progress:
        started = regions.create(where, args.name, progress.step)
    if not started:
        say(f"The region {args.name} is already running.")
    print(args.name)
    return 0


def seed(args: argparse.Namespace, where: StateDir) -> int:
    """Fill a project with rows."""
    settings = where.settings()
    seeding.run(
        where,
        settings,
        args.cloud,
        args.instances,
        args.backups,
        with_version=not args.without_version,
    )
    say(f"Made up {args.instances} instances and {args.backups} backups.")
    return 0

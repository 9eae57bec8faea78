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

"""The command ``trove-sandbox``."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from trove_ext.sandbox import clouds, state
from trove_ext.sandbox.state import SandboxError, StateDir

Command = Callable[[argparse.Namespace, StateDir], int]


def say(text: str) -> None:
    """Tell the user what is being done; stdout is for results alone."""
    print(text, file=sys.stderr, flush=True)


def _up(args: argparse.Namespace, where: StateDir) -> int:
    from trove_ext.sandbox import lifecycle

    started = lifecycle.up(where, say, token_seconds=args.token_seconds, rate=args.rate)
    if not started:
        say(f"The sandbox in {where.root} runs already")
    print(clouds.exports(where))
    return 0


def _down(_args: argparse.Namespace, where: StateDir) -> int:
    from trove_ext.sandbox import lifecycle

    where.settings()
    if not lifecycle.down(where, say):
        say(f"The sandbox in {where.root} didn't run")
    return 0


def _reset(_args: argparse.Namespace, where: StateDir) -> int:
    from trove_ext.sandbox import lifecycle

    lifecycle.reset(where, say)
    return 0


def _env(_args: argparse.Namespace, where: StateDir) -> int:
    where.settings()
    print(clouds.exports(where))
    return 0


def parser() -> argparse.ArgumentParser:
    """Build the parser of the whole command."""
    top = argparse.ArgumentParser(prog="trove-sandbox", description=__doc__)
    top.add_argument("--dir", type=Path, default=state.default_root())
    commands = top.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up")
    up.add_argument("--token-seconds", type=int, default=86400)
    up.add_argument("--rate", type=int, default=100000)
    up.set_defaults(run=_up)
    commands.add_parser("down").set_defaults(run=_down)
    commands.add_parser("reset").set_defaults(run=_reset)
    commands.add_parser("env").set_defaults(run=_env)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    os.umask(0o077)
    args = parser().parse_args(argv)
    try:
        code: int = args.run(args, StateDir(args.dir))
    except SandboxError as exc:
        say(f"trove-sandbox: {exc}")
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())

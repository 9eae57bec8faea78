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

"""The users of a new instance: checked, and from a file, where they are secret."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from trove_ext.exceptions import UsageError
from trove_ext.osc.base import masking
from trove_ext.osc.hooks.upstream import Credential

if TYPE_CHECKING:
    import argparse


def credentials(
    parsed_args: argparse.Namespace, stdin: TextIO | None
) -> list[Credential]:
    """Return all users to create.

    :raises UsageError: a user without a name or password, or with a colon in the
        password given as an argument; lists all problems, without a password
    """
    problems = [_problem(text) for text in parsed_args.users]
    lines = _read(parsed_args.credentials_file, stdin)
    problems += [
        f"line {number} of {parsed_args.credentials_file} is not user:password"
        for number, line in lines
        if not all(line.partition(":"))
    ]
    if any(problems):
        raise UsageError("\n".join(problem for problem in problems if problem))
    for _number, line in lines:
        masking.hide_credential(line)
    return [Credential(text) for text in parsed_args.users] + [
        Credential(line) for _number, line in lines
    ]


def _problem(text: str) -> str:
    user, _, password = text.partition(":")
    if not user or not password:
        return f"--users {user or '...'}: a user needs a name and a password, as in u:p"
    if ":" in password:
        return (
            f"--users {user}:...: the password contains a colon, and Trove's client "
            "would cut it there; use --credentials-file"
        )
    return ""


def _read(name: str | None, stdin: TextIO | None) -> list[tuple[int, str]]:
    if name is None:
        return []
    try:
        text = _text(name, stdin)
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"--credentials-file {name}: {exc}") from exc
    # No other line break ends a line: a password may contain them.
    numbered = enumerate(text.removesuffix("\n").split("\n"), start=1)
    lines = [(number, line.removesuffix("\r")) for number, line in numbered]
    lines = [(number, line) for number, line in lines if line.strip()]
    if not lines:
        raise UsageError(f"--credentials-file {name}: there is no user:password in it")
    return lines


def _text(name: str, stdin: TextIO | None) -> str:
    if name != "-":
        return Path(name).read_bytes().decode("utf-8-sig")
    if stdin is None:
        raise UsageError("--credentials-file -: standard input is closed")
    if stdin.isatty():
        raise UsageError(
            "--credentials-file -: standard input is a terminal, which would show what "
            "is typed; give a file, or a pipe"
        )
    return stdin.read().removeprefix("\ufeff")

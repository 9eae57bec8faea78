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

"""The option of the commands that take their instances of a policy file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.exceptions import UsageError

if TYPE_CHECKING:
    import argparse

    from trove_ext.model.policy_file import PolicyFile

#: Arguments that several commands have, as lists; an option of that name has one value.
POSITIONAL = {"backup", "instance"}


def add_policy_option(parser: argparse.ArgumentParser, verb: str) -> None:
    """Add ``--policy``.

    :param verb: what the command does with the instances: "Check"
    """
    parser.add_argument(
        "--policy",
        metavar="<policy-file>",
        help=f"{verb} all instances of the project by the rules of this file, such as "
        "backups.yaml; a file with a mistake is refused as a whole",
    )


def policy_of(parsed_args: argparse.Namespace, **given: object) -> PolicyFile | None:
    """Read the policy file, if one was given.

    :param given: the value of each argument that the file makes useless, by its name
    :raises UsageError: the file has mistakes, or such an argument was given too
    """
    if parsed_args.policy is None:
        return None
    useless = [_option(name, value) for name, value in given.items() if value]
    if useless:
        raise UsageError(
            f"The rules of --policy decide that: leave out {', '.join(useless)}."
        )
    return load_policy(parsed_args.policy)


def _option(name: str, value: object) -> str:
    if name in POSITIONAL and isinstance(value, list):
        return f"<{name}>"
    return "--" + name.replace("_", "-")


def load_policy(path: str) -> PolicyFile:
    """Read a policy file; the libraries for that are imported only now.

    :raises UsageError: with all mistakes, each with its line and column
    """
    from trove_ext.osc.policy_file import load

    return load.load(path)

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

"""A policy file, read and checked as a whole."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

from trove_ext.exceptions import UsageError
from trove_ext.model import policy_file_checks
from trove_ext.model.policy_file import PolicyFile, read_rule
from trove_ext.osc.policy_file import document, schema

if TYPE_CHECKING:
    from trove_ext.osc.policy_file.document import Document, Mistake


#: Characters; far more than any project needs.
LONGEST = 1_000_000


def load(path: str) -> PolicyFile:
    """Read a policy file.

    :raises UsageError: with all mistakes, each with its line and column
    """
    try:
        with pathlib.Path(path).open(encoding="utf-8") as file:
            text = file.read(LONGEST + 1)
    except OSError as exc:
        raise UsageError(f"Can't read {path}: {exc.strerror or exc}") from exc
    except ValueError as exc:
        raise UsageError(f"Can't read {path}: {exc}") from exc
    if len(text) > LONGEST:
        raise UsageError(f"{path} has more than {LONGEST} characters.")
    return parse(text, path)


def parse(text: str, name: str) -> PolicyFile:
    """Read the text of a policy file.

    :param name: the path of the file, for messages
    :raises UsageError: with all mistakes, each with its line and column
    """
    try:
        found = document.read(text)
    except document.NotYamlError as exc:
        raise _refusal(name, [exc.mistake]) from exc
    mistakes = _mistakes(found)
    if mistakes:
        raise _refusal(name, mistakes)
    defaults = found.tree.get("defaults", {})
    return PolicyFile(
        name,
        tuple(
            read_rule(rule, defaults, found.places["rules", index][0])
            for index, rule in enumerate(found.tree["rules"])
        ),
    )


def _mistakes(found: Document) -> list[Mistake]:
    """Return all that is wrong, in the order of the file."""
    placed = [*schema.mistakes(found.tree), *policy_file_checks.mistakes(found.tree)]
    described = {
        found.mistake(place, text)
        for place, text in placed
        if place not in found.unreadable
    }
    return sorted(described.union(found.mistakes))


def _refusal(name: str, mistakes: list[Mistake]) -> UsageError:
    lines = [f"{name}:{mistake}" for mistake in mistakes]
    return UsageError("\n".join([*lines, "Nothing was sent."]))

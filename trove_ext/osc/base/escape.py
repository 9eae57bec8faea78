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

"""Text from the cloud on its way to a terminal."""

from __future__ import annotations

import unicodedata


def count(number: int, noun: str) -> str:
    """Spell a number of things: ``1 backup``, ``2 backups``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def escape(text: str) -> str:
    """Replace what could drive a terminal: control and direction characters.

    A name may hold escape sequences; printed as they are they could retitle a window
    or rewrite the screen. Line breaks and tabs are kept.
    """
    return "".join(
        char if char in "\n\t" or not _is_control(char) else _spelled(char)
        for char in text
    )


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _spelled(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")

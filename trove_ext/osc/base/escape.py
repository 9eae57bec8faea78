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

"""Text from the cloud on its way to a terminal or a file."""

from __future__ import annotations

import io
import unicodedata


def count(number: int, noun: str) -> str:
    """Format a number of resources: ``1 backup``, ``2 backups``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def escape(text: str) -> str:
    """Escape what could control a terminal: control and direction characters.

    A name may contain escape sequences, which could change the title of a window or
    overwrite the screen. Line breaks and tabs are kept.
    """
    return "".join(
        char if char in "\n\t" or not _is_control(char) else _spelled(char)
        for char in text
    )


def spell_unencodable(stream: object) -> None:
    r"""Make a stream write ``\u4e2d`` for a character that its encoding lacks.

    A name must not cause a codec error once the job is done. Python's stderr
    does so by itself. Surrogates that UTF-8 turns back into the bytes of an argument
    are left to it (``surrogateescape``, the default of the C locale).
    """
    if not isinstance(stream, io.TextIOWrapper):
        return
    restores_bytes = stream.errors == "surrogateescape" and _is_utf8(stream.encoding)
    if stream.errors in {"strict", "surrogateescape"} and not restores_bytes:
        stream.reconfigure(errors="backslashreplace")


def _is_utf8(encoding: str) -> bool:
    return encoding.lower().replace("_", "-") in {"utf-8", "utf8"}


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _spelled(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")

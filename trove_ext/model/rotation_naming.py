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

"""The names that `backup rotate` gives its backups, and how it recognizes them.

A pattern has the fields ``{instance}``, ``{type}`` and ``{time}``, for instance
``{instance}-{type}-{time}``. The time is UTC; its form may be given by numeric strftime
directives, as in ``{time:%Y-%m-%d_%H%M}``.
"""

from __future__ import annotations

import re
import string
from datetime import UTC
from typing import TYPE_CHECKING

from trove_ext.model.backup import REPLICATION_SNAPSHOT_PREFIX

if TYPE_CHECKING:
    from datetime import datetime

DEFAULT_PATTERN = "{instance}-{type}-{time}"
DEFAULT_TIME = "%Y%m%dT%H%M%SZ"
FULL = "full"
INCREMENTAL = "incr"
#: Of a backup's name: ``backups.name`` in Trove's database
#: (``trove/db/sqlalchemy/migrations/versions/906cffda7b29_init_trove_db.py``).
NAME_MAX = 255

_DIGITS = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2, "j": 3, "%": 0}
_DIRECTIVE = re.compile("%(.?)", re.DOTALL)
_FIELDS = ("instance", "type", "time")


class NamePattern:
    """A checked pattern.

    :ivar pattern: as it was given
    """

    __slots__ = ("_parts", "pattern")

    def __init__(self, pattern: str = DEFAULT_PATTERN) -> None:
        """Check it.

        :raises ValueError: with a text for the user, if it can't be used
        """
        self.pattern = pattern
        self._parts = _parse(pattern)
        fields = [field for _, field, _ in self._parts]
        if "time" not in fields:
            raise ValueError(
                f"Name pattern '{pattern}' has no {{time}}: all would have one name."
            )
        if self._parts[0][0].startswith(REPLICATION_SNAPSHOT_PREFIX):
            raise ValueError(
                f"Name pattern '{pattern}' makes names that Trove gives its own "
                "temporary backups."
            )

    def format(self, instance: str, *, full: bool, now: datetime) -> str:
        """Make a name.

        :param instance: the name of the instance
        :param now: aware
        :raises ValueError: it is longer than Trove stores
        """
        values = {"instance": instance, "type": FULL if full else INCREMENTAL}
        name = "".join(
            literal
            + (now.astimezone(UTC).strftime(spec) if spec else values.get(field, ""))
            for literal, field, spec in self._parts
        )
        if len(name) > NAME_MAX:
            raise ValueError(
                f"Name '{name}' has {len(name)} characters; Trove stores {NAME_MAX}."
            )
        return name

    def recogniser(self, instance: str | None) -> re.Pattern[str]:
        """Return a pattern that fully matches the names for an instance.

        Compare the instance's ID as well: the name of another instance may match too.

        :param instance: its name; None for any
        """
        expressions = {
            "instance": ".*" if instance is None else re.escape(instance),
            "type": f"(?:{FULL}|{INCREMENTAL})",
        }
        return re.compile(
            "".join(
                re.escape(literal)
                + (_time_expression(spec) if spec else expressions.get(field, ""))
                for literal, field, spec in self._parts
            ),
            re.DOTALL,
        )

    def is_own(self, instance: str | None, name: str) -> bool:
        """Return whether a name may be of this pattern.

        :param instance: the name of the instance; None for any
        """
        return self.recogniser(instance).fullmatch(name) is not None


def _parse(pattern: str) -> list[tuple[str, str, str]]:
    """Split it into literal, field and format of the time; empty if there is none."""
    try:
        parsed = list(string.Formatter().parse(pattern))
    except ValueError as exc:
        raise ValueError(f"Name pattern '{pattern}': {exc}") from exc
    parts = []
    for literal, field, spec, conversion in parsed:
        if field is not None:
            _check_field(pattern, field, spec or "", conversion)
        form = (spec or DEFAULT_TIME) if field == "time" else ""
        parts.append((literal, field or "", form))
    return parts or [("", "", "")]


def _check_field(pattern: str, field: str, spec: str, conversion: str | None) -> None:
    known = ", ".join(f"{{{name}}}" for name in _FIELDS)
    if field not in _FIELDS or conversion:
        raise ValueError(f"Name pattern '{pattern}': fields are {known}.")
    if spec and field != "time":
        raise ValueError(f"Name pattern '{pattern}': only {{time}} takes a form.")
    if spec and not set(_DIRECTIVE.findall(spec)) & set(_DIGITS) - {"%"}:
        raise ValueError(
            f"Name pattern '{pattern}': {{time:{spec}}} gives no time: all would have "
            "one name."
        )
    for directive in _DIRECTIVE.findall(spec):
        if directive not in _DIGITS:
            raise ValueError(
                f"Name pattern '{pattern}': {{time}} takes %Y %m %d %H %M %S %j, "
                f"not '%{directive}'."
            )


def _time_expression(spec: str) -> str:
    """Translate a format of time into a regular expression."""
    expression, end = "", 0
    for match in _DIRECTIVE.finditer(spec):
        digits = _DIGITS[match[1]]
        expression += re.escape(spec[end : match.start()])
        expression += rf"[0-9]{{{digits}}}" if digits else "%"
        end = match.end()
    return expression + re.escape(spec[end:])

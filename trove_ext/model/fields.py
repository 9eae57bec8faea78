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

"""The fields of Trove's JSON objects, read with a check.

Only here a response is found to lack something. Any other exception while a record is
made of a response is a bug in the code that makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from trove_ext.exceptions import MalformedAnswerError


class Fields:
    """One JSON object.

    All methods raise :class:`~trove_ext.exceptions.MalformedAnswerError` if a field is
    present in another form; a field that is missing or null is None, or empty, unless a
    method says otherwise.
    """

    def __init__(self, info: object, kind: str) -> None:
        """Wrap a decoded object.

        :param kind: what it describes, for messages: "backup"
        :raises MalformedAnswerError: it is no object
        """
        if not isinstance(info, Mapping):
            raise MalformedAnswerError(f"a {kind} is {info!r}, not one of Trove's")
        self._info: Mapping[str, Any] = info
        self._kind = kind

    def __contains__(self, key: str) -> bool:
        return key in self._info

    def get(self, key: str) -> Any:
        """Return a value of any form."""
        return self._info.get(key)

    def need(self, key: str) -> Any:
        """Return a value of any form, which may be null.

        :raises MalformedAnswerError: it is missing
        """
        if key not in self._info:
            raise MalformedAnswerError(
                f"Trove's response lacks {key!r} of {self._named()}, which is needed"
            )
        return self._info[key]

    def text(self, key: str) -> str | None:
        """Return a text."""
        value = self.get(key)
        if value is not None and not isinstance(value, str):
            raise self._malformed(key)
        return value

    def need_text(self, key: str) -> str:
        """Return a text.

        :raises MalformedAnswerError: it is missing, or is no text
        """
        value = self.need(key)
        if not isinstance(value, str):
            raise self._malformed(key)
        return value

    def need_reference(self, key: str) -> str | None:
        """Return an ID, None for null or an empty text.

        :raises MalformedAnswerError: it is missing, or is no ID
        """
        self.need(key)
        return self.text(key) or None

    def number(self, key: str) -> float | None:
        """Return a number; a text that is a number counts as one."""
        value = self.get(key)
        try:
            return None if value is None else float(value)
        except (TypeError, ValueError) as exc:
            raise self._malformed(key) from exc

    def need_integer(self, key: str) -> int:
        """Return a whole number.

        :raises MalformedAnswerError: it is missing, or no number
        """
        self.need(key)
        value = self.number(key)
        if value is None:
            raise self._malformed(key)
        return int(value)

    def time(self, key: str) -> datetime | None:
        """Return a moment: ISO 8601, in UTC if it has no zone."""
        value = self.get(key)
        try:
            moment = datetime.fromisoformat(str(value)) if value else None
        except ValueError as exc:
            raise self._malformed(key) from exc
        if moment is None:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def part(self, key: str) -> Fields:
        """Return an object inside; an empty one if it is missing."""
        return Fields(self.get(key) or {}, f"{key} of {self._named()}")

    def parts(self, key: str) -> list[Fields]:
        """Return the objects of a list inside."""
        return [Fields(each, f"{key} of {self._named()}") for each in self.all(key)]

    def all(self, key: str) -> list[Any]:
        """Return a list inside."""
        value = self.get(key) or []
        if not isinstance(value, list):
            raise self._malformed(key)
        return value

    def _malformed(self, key: str) -> MalformedAnswerError:
        value = self._info.get(key)
        return MalformedAnswerError(
            f"Trove's response has {value!r} for {key!r} of {self._named()}, which "
            "can't be read"
        )

    def _named(self) -> str:
        name = self._info.get("id") or self._info.get("name")
        return f"{self._kind} {name}" if name else f"a {self._kind}"

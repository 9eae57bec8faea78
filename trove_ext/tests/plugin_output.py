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

"""Read what a monitoring plugin writes, as the plugin API defines it."""

import re
from typing import NamedTuple

STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
STATUS_LINE = re.compile(rf"(\w+) ({'|'.join(STATES)}) - (.*)")
#: 'label'=value[UOM];[warn];[crit];[min];[max]
ITEM = re.compile(
    r"'(?P<label>[^'=]+)'=(?P<value>-?[\d.]+)(?P<unit>s|%|B|c|)"
    r"(?:;(?P<warning>[\d.]*))?(?:;(?P<critical>[\d.]*))?"
    r"(?:;(?P<least>[\d.]*))?(?:;(?P<most>[\d.]*))?"
)


class Output(NamedTuple):
    """The parts of the output.

    :ivar items: the performance data by label: value, unit, warning, critical, least
        and most as texts, None for what is not there
    """

    service: str
    state: str
    summary: str
    items: dict[str, dict[str, str | None]]
    details: list[str]


def parse(text: str) -> Output:
    """Split plugin output.

    :raises AssertionError: it is none
    """
    first, *details = text.splitlines()
    status, _, rest = first.partition("|")
    line = STATUS_LINE.fullmatch(status)
    if line is None:
        raise AssertionError(f"no status line: {first!r}")
    items = {}
    while rest:
        found = ITEM.match(rest)
        if found is None:
            raise AssertionError(f"no performance data: {rest!r}")
        items[found["label"]] = found.groupdict()
        rest = rest[found.end() :].lstrip(" ")
    return Output(line[1], line[2], line[3], items, details)

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

"""The requests to the servers, for tests to count and to compare."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass
class Request:
    """One request that left the client.

    :ivar service: "trove", "keystone" or the host of the request
    :ivar at: virtual seconds since the start
    :ivar reached: whether the server carried it out
    :ivar answered: the HTTP status that the server sent, None if it did not receive it
    :ivar status: the HTTP status that the client received, None without a response
    :ivar fault: the name of the injected fault, "" for none
    """

    number: int
    service: str
    method: str
    path: str
    query: dict[str, str]
    body: Any
    at: float
    timeout: float | None
    reached: bool = False
    answered: int | None = None
    status: int | None = None
    fault: str = ""

    @property
    def changing(self) -> bool:
        """Whether it asks Trove to change something."""
        return self.service == "trove" and self.method != "GET"

    def __str__(self) -> str:
        """Format it as one line of a test's failure message."""
        query = "?" + "&".join(f"{k}={v}" for k, v in self.query.items())
        outcome = self.fault or str(self.status)
        line = f"{self.at:9.2f} {self.method:6} {self.service} {self.path}"
        return f"{line}{query if self.query else ''} -> {outcome}"


class RequestLog(list[Request]):
    """All requests in their order."""

    def to_trove(self, method: str | None = None) -> list[Request]:
        """Return those that Trove received, of one method or of all."""
        return [
            request
            for request in self
            if request.service == "trove" and method in (None, request.method)
        ]

    @property
    def changing(self) -> list[Request]:
        """The requests that change something, whether they reached Trove or not."""
        return [request for request in self if request.changing]

    def matching(self, method: str, part: str) -> Iterator[Request]:
        """Yield those of a method whose path contains `part`."""
        return (r for r in self if r.method == method and part in r.path)

    def text(self) -> str:
        """Format the log, one request a line."""
        return "\n".join(str(request) for request in self)

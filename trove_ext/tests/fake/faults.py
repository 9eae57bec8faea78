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

"""What can happen to a request between the client and the servers."""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from trove_ext.tests.fake.log import Request


class Kind(enum.Enum):
    """A way for one request to go wrong."""

    REFUSED = "refused"
    RESET_BEFORE = "reset before"
    RESET_AFTER = "reset after"
    HTTP_500 = "500"
    HTTP_502 = "502"
    HTTP_503 = "503"
    HTTP_504 = "504"
    RATE_LIMIT = "413 with Retry-After"
    QUOTA = "413"
    TOKEN_EXPIRED = "401"
    #: 401, and once the token is renewed Trove refuses the repeated request.
    RENEWED_403 = "401, then 403"
    RENEWED_422 = "401, then 422"
    FORBIDDEN = "403"
    BUSY = "422"
    HANG = "hang"
    #: The response states its length, and ends before that.
    TRUNCATED = "truncated"
    #: The same without a length: the response looks complete, but is no JSON.
    CUT_SHORT = "cut short"
    HTML = "HTML with 200"
    #: From a proxy in between: they prove nothing about Trove's resources.
    NO_SUCH_PAGE = "HTML with 404"
    TEXT = "text with 200"
    SLOW_DOWN = "429 with Retry-After"


#: Kinds in which the request may have been carried out, or not: the proxy that
#: responds in Trove's place does not know.
MAY_HAVE_REACHED = frozenset(
    {
        Kind.HTTP_500,
        Kind.HTTP_502,
        Kind.HTTP_503,
        Kind.HTTP_504,
        Kind.HANG,
        Kind.HTML,
        Kind.NO_SUCH_PAGE,
        Kind.TEXT,
    }
)
#: Kinds in which it was always carried out.
REACHED = frozenset({Kind.RESET_AFTER, Kind.TRUNCATED, Kind.CUT_SHORT})


@dataclass(frozen=True)
class Fault:
    """A fault at one request, or from it on.

    :ivar at: the number of its request, counting all of a run from 1
    :ivar lasting: it also applies to every later request
    :ivar reached: whether the server carries the request out nevertheless
    :ivar only: the requests it applies to at all; all without it
    :ivar retry_after: seconds, of a rate limit
    """

    kind: Kind
    at: int = 1
    lasting: bool = False
    reached: bool = False
    only: Callable[[Request], bool] | None = None
    retry_after: int = 5

    def meets(self, request: Request) -> bool:
        """Whether it happens to this request."""
        if self.only is not None and not self.only(request):
            return False
        return request.number >= self.at if self.lasting else request.number == self.at

    @property
    def carried_out(self) -> bool:
        """Whether the server sees the request."""
        return self.kind in REACHED or (self.reached and self.kind in MAY_HAVE_REACHED)

    def __str__(self) -> str:
        """Name it, as a test's label."""
        how = " (carried out)" if self.carried_out else ""
        span = "from" if self.lasting else "at"
        return f"{self.kind.value}{how} {span} request {self.at}"


def every_fault(at: int) -> list[Fault]:
    """List everything that can happen to one request, once and permanently."""
    faults = []
    for lasting in (False, True):
        for kind in Kind:
            faults.append(Fault(kind, at, lasting))
            if kind in MAY_HAVE_REACHED:
                faults.append(Fault(kind, at, lasting, reached=True))
    return faults

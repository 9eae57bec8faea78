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

"""The refusals of Trove's API, each with its code and its body.

A body is {NAME: {"code": CODE, "message": TEXT}}, where NAME comes from the
table in trove/common/wsgi.py, `Fault._get_error_name`. Which exception has which
code is in `Controller.exception_map` of the same module, by exact type; whatever
is not listed there is 400.
"""

import uuid
from dataclasses import dataclass, field


@dataclass
class ApiError(Exception):
    """A response that refuses: HTTP `code`, `name` of the body, `message`.

    :ivar extra: what else is in the body
    :ivar reason: the text of the exception behind it, which is stored in faults
    """

    code: int
    name: str
    message: str
    headers: dict[str, str] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    reason: str = ""

    def __post_init__(self) -> None:
        self.reason = self.reason or self.message

    def __str__(self) -> str:
        return self.message

    def body(self) -> dict[str, object]:
        """The body as the service writes it; some have a little more inside."""
        body = {"code": self.code, "message": self.message}
        return {self.name: {**body, **self.extra}}


def bad_request(message: str) -> ApiError:
    """400: the rules of the API were broken, or an unmapped error."""
    return ApiError(400, "badRequest", message)


def unauthorized(message: str) -> ApiError:
    """401: Trove's plain `Forbidden`, which is not a failed log-in."""
    # keystonemiddleware adds the header to every 401.
    headers = {"WWW-Authenticate": 'Keystone uri="http://keystone.fake"'}
    return ApiError(401, "unauthorized", message, headers)


def forbidden(message: str) -> ApiError:
    """403: a policy, a source that has replicas, a backup that is too large."""
    return ApiError(403, "forbidden", message)


def policy_refusal(rule: str) -> ApiError:
    """403 of trove/common/policy.py: PolicyNotAuthorized."""
    return forbidden(f"Policy doesn't allow {rule} to be performed.")


def not_found(resource: str) -> ApiError:
    """404 for one resource: trove/common/exception.py, NotFound(uuid=...)."""
    return missing(f"Resource {resource} cannot be found.")


def missing(message: str) -> ApiError:
    """404 with a text of its own."""
    return ApiError(404, "itemNotFound", message)


def conflict(message: str) -> ApiError:
    """409: a backup that is not completed."""
    return ApiError(409, "conflict", message)


def over_limit(message: str) -> ApiError:
    """413 without Retry-After: a quota."""
    return ApiError(413, "overLimit", message)


def quota_exceeded(resources: list[str]) -> ApiError:
    """413 of trove/quota/quota.py: QuotaExceeded."""
    return over_limit(f"Quota exceeded for resources: {sorted(resources)}.")


def unprocessable(message: str) -> ApiError:
    """422: the instance is not in a state for that."""
    return ApiError(422, "unprocessableEntity", message)


def server_error(reason: str = "") -> ApiError:
    """500: an exception inside Trove; the text names an ID and nothing else.

    :param reason: the text of the exception, which is visible inside Trove
    """
    error = ApiError(
        500,
        "instanceFault",
        "Internal Server Error. Please keep this ID to help us figure out what "
        f"went wrong: ({uuid.uuid4()}).",
    )
    error.reason = reason or error.message
    return error


_BREAKS = ((". ", ".\n"), (" (", "\n("), (": ", ":\n    "))


def fault_text(message: str) -> str:
    """Return the text as it is stored in an instance's fault: 255 characters at most.

    Trove breaks lines of more than 79 characters at ". ", " (" and ": ", each
    place in turn (trove/common/utils.py, format_output).
    """
    text = _broken(message, 0)
    return text if len(text) <= 255 else text[:252] + "..."


def _broken(text: str, turn: int) -> str:
    pieces = []
    for line in text.splitlines(keepends=True):
        place = next(
            (p for p in range(turn, turn + 3) if _BREAKS[p % 3][0] in line), None
        )
        if len(line) <= 79 or place is None:
            pieces.append(line)
        else:
            broken = line.replace(*_BREAKS[place % 3], 1)
            pieces.append(_broken(broken, place + 1))
    return "".join(pieces)

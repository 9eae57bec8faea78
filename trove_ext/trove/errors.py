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

"""The meaning of a failed request.

Sources: ``trove/common/wsgi.py`` (``Controller.exception_map``, ``Fault``): Trove's
plain ``Forbidden`` is sent as 401 with the key ``unauthorized``; keystonemiddleware's
401 has the key ``error``. A policy refusal is 403. 413 with Retry-After is a rate
limit, without it a quota. Every response has ``X-OpenStack-Request-Id`` since 25.

An error that is not of a request is a bug in this project's own code and is raised
unchanged: it is never reported as an error of the cloud, and never causes a retry.
"""

from __future__ import annotations

import codecs
import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from keystoneauth1 import exceptions as ksa
from troveclient import exceptions as trove

from trove_ext.exceptions import (
    LoginError,
    LostAnswerError,
    MalformedAnswerError,
    NotFoundError,
    PolicyError,
    RefusedError,
    ServiceError,
    TroveExtError,
    UnreachableError,
)
from trove_ext.follow_up import Setting, add

#: The statuses of a rate limit: Trove's own, a proxy's, and one that asks for a pause.
TOO_MANY = 413
LIMITED = frozenset({TOO_MANY, 429, 503})
#: For a read: it was not processed, and may be retried.
NOT_PROCESSED = frozenset({408, 425, 429})
ACCEPTED = 202
#: The key of Trove's 404 (``trove/common/wsgi.py``, ``Fault``); a load balancer's has
#: none, and proves nothing about what exists.
NOT_FOUND = "itemNotFound"
_FOREIGN = "a response that is not Trove's"
#: Responses of a proxy before Trove, or of a Trove that has failed.
SERVER_ERRORS = range(500, 600)
ERRORS = range(400, 600)
#: The packages that read a response before this one does.
CLIENT_PACKAGES = frozenset({"troveclient", "keystoneauth1"})
OWN_PACKAGE = __name__.partition(".")[0]
#: All exceptions of a request.
OF_REQUESTS = (
    TroveExtError,
    trove.HttpError,
    ksa.ClientException,
    requests.RequestException,
)
#: The text of ``SwiftAuthError``.
NO_STORE = "Swift account not accessible"
REQUEST_ID = "X-OpenStack-Request-Id"


def retry_after(exc: BaseException) -> float | None:
    """Return the seconds of a rate limit's Retry-After; None if there is none.

    The header itself is read: troveclient's attribute is 0 for a missing header too. A
    header that is neither seconds nor a date counts as missing.
    """
    if getattr(exc, "http_status", None) not in LIMITED:
        return None
    response = getattr(exc, "response", None)
    header = response.headers.get("Retry-After") if response is not None else None
    seconds = _seconds(header or "")
    return None if seconds is None else max(1.0, seconds)


def _seconds(header: str) -> float | None:
    """Read a Retry-After: seconds, or a date (RFC 9110)."""
    try:
        seconds = float(header)
    except ValueError:
        try:
            moment = parsedate_to_datetime(header)
        except ValueError:
            return None
        # A date without a zone is in UTC.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (moment - datetime.now(UTC)).total_seconds()
    return None if math.isnan(seconds) else seconds


def refuse_foreign(response: requests.Response) -> None:
    """Refuse a response that Trove can't have sent.

    A proxy before Trove sends it: a page of HTML as a success, or any success
    but 202 after an action or a delete (``trove/instance/service.py``,
    ``trove/backup/service.py``). troveclient does not read these bodies, and would
    treat such a response as Trove's 202. If an error is JSON of another form, or has a
    Retry-After and is no 413, troveclient fails to make an exception of it
    (``troveclient/apiclient/exceptions.py``, ``from_response``).

    :raises requests.RequestException: it is a success that Trove did not send; its
        meaning depends on the request
    :raises troveclient.exceptions.HttpError: it is such an error
    """
    status = response.status_code
    if status in ERRORS and status != trove.Unauthorized.http_status:
        limited = "Retry-After" in response.headers and status != TOO_MANY
        if limited or not _says_why(response):
            raise trove.HttpError(
                _FOREIGN,
                response=response,
                url=response.url,
                method=response.request.method,
                http_status=status,
            )
    if status not in range(200, 300):
        return
    kind = response.headers.get("Content-Type", "")
    body = response.content.removeprefix(codecs.BOM_UTF8).lstrip()
    if kind.startswith("text/html") or body.startswith(b"<"):
        raise requests.RequestException("the response is a web page, not Trove's")
    request = response.request
    path = urlsplit(str(request.url)).path
    acts = request.method == "DELETE" or path.endswith("/action")
    if acts and status != ACCEPTED:
        raise requests.RequestException(
            f"the response is not Trove's: HTTP {status}, not {ACCEPTED}"
        )


def _says_why(response: requests.Response) -> bool:
    """Whether an error can be read, or is no JSON at all."""
    try:
        body = response.json()
    except ValueError:
        return True
    if not isinstance(body, dict) or "message" in body:
        return True
    return bool(body) and isinstance(next(iter(body.values())), dict)


def was_read(exc: BaseException) -> bool:
    """Whether it is the response to a GET.

    A stock action sends several requests: ``instance create`` reads the new instance
    after it has created it (``troveclient/osc/v1/database_instances.py``). A rejected
    read proves nothing about what was sent before.
    """
    request = getattr(getattr(exc, "response", None), "request", None)
    return getattr(request, "method", None) == "GET"


def was_unread(exc: BaseException) -> bool:
    """Whether Trove's rate limit rejected a change without reading it.

    The response of a proxy (429, 503) proves less: the change may have taken effect.
    """
    return getattr(exc, "http_status", None) == TOO_MANY and not was_read(exc)


def translate(exc: Exception, what: str, *, changing: bool) -> TroveExtError:
    """Translate any exception of a request.

    :param what: the resource that was read, or the change that was sent
    :param changing: whether the request may have changed something; then an answer
        that was lost is not the same as a refusal
    :raises Exception: ``exc`` itself if it is no error of a request
    """
    if isinstance(exc, TroveExtError):
        malformed = isinstance(exc, MalformedAnswerError)
        return MalformedAnswerError(f"{what}: {exc}") if malformed else exc
    if isinstance(exc, trove.HttpError):
        return _from_status(exc, what, changing=changing)
    if isinstance(exc, ksa.ConnectFailure) and _never_sent(exc):
        return UnreachableError(f"{what}: {_first_line(exc)}")
    if isinstance(exc, ksa.HttpError):
        return _from_keystone(exc, what, changing=changing)
    if isinstance(exc, (ksa.ClientException, requests.RequestException)):
        return _lost(what, _first_line(exc), changing=changing)
    if is_misread(exc):
        return _lost(what, _misread(exc), changing=changing)
    raise exc


def is_of_request(exc: Exception) -> bool:
    """Whether a request, or an unusable response, is the cause."""
    return isinstance(exc, OF_REQUESTS) or is_misread(exc)


def url_of(exc: Exception) -> str | None:
    """Return the URL of the request that failed, None if that is not known."""
    response = getattr(exc, "response", None)
    if response is None:
        # keystoneauth makes its own error while it handles one of requests.
        request = getattr(exc.__context__, "request", None)
    else:
        request = response.request
    return getattr(request, "url", None)


def lost(what: str, exc: Exception) -> TroveExtError:
    """Return the error of a change whose effect is not known.

    :param exc: what was raised instead of a response
    """
    return _lost(what, _first_line(exc), changing=True)


def _misread(exc: Exception) -> str:
    lacks = f", it lacks {exc}" if isinstance(exc, KeyError) else ""
    return (
        f"the response is not one of Trove's{lacks} (is the endpoint in the service "
        "catalog Trove's?)"
    )


def is_misread(exc: Exception) -> bool:
    """Whether python-troveclient failed to read a response.

    It reads a body without a check, so anything may be raised: ``Exception`` itself for
    an empty one (``troveclient/base.py``). The same types raised by this project's
    code, which troveclient may have called, are bugs of this project.
    """
    if isinstance(exc, OF_REQUESTS):
        return False
    return _raised_in(exc) in CLIENT_PACKAGES


def _raised_in(exc: Exception) -> str | None:
    """Return the innermost package that raised it: this one, or one that it called."""
    found = None
    trace = exc.__traceback__
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__"))
        package = name.partition(".")[0]
        if package == OWN_PACKAGE or package in CLIENT_PACKAGES:
            found = package
        trace = trace.tb_next
    return found


def _from_status(exc: trove.HttpError, what: str, *, changing: bool) -> TroveExtError:
    status, message = exc.http_status, _message(exc)
    unseen = status in NOT_PROCESSED and not changing
    foreign = status == trove.NotFound.http_status and _keys(exc) != {NOT_FOUND}
    if status in SERVER_ERRORS or unseen or foreign or (changing and was_read(exc)):
        why = f"HTTP {status}{_request_id(exc)}: {message}"
        return _lost(what, why, changing=changing)
    if status == trove.NotFound.http_status:
        return NotFoundError(f"{what}: it does not exist ({message}{_request_id(exc)})")
    if status == trove.Unauthorized.http_status and _keys(exc) != {"unauthorized"}:
        return LoginError(f"{what}: {_token_refused(exc)}{_request_id(exc)}: {message}")
    if status == trove.Forbidden.http_status and _is_policy(message):
        return PolicyError(
            f"{what}: the cloud's policy does not allow you to do this (HTTP 403, not "
            f"a failed log-in{_request_id(exc)}): {message}",
            status=status,
            reason=message,
        )
    if (seconds := retry_after(exc)) is not None:
        message = f"too many requests, try again in {seconds:.0f} s: {message}"
    return RefusedError(
        f"{what}: Trove refuses it: {message}{_store_refused(message)} "
        f"(HTTP {status}{_request_id(exc)})",
        status=status,
        reason=message,
    )


def _token_refused(exc: trove.HttpError) -> str:
    """Describe keystonemiddleware's 401, after keystoneauth has tried a new token.

    It sends the same one if an application credential has no access rule for a request
    (``keystonemiddleware/auth_token/__init__.py``, ``validate_allowed_request``).
    """
    request = getattr(exc.response, "request", None)
    if request is None:
        return "Keystone's token was not accepted"
    return (
        f"Keystone's token was not accepted for {request.method} "
        f"{urlsplit(str(request.url)).path} (HTTP 401; if it is of an application "
        "credential with access rules, a rule for this request may be missing)"
    )


def _store_refused(message: str) -> str:
    """Say what it may mean that Swift refused the token of the caller.

    ``SwiftAuthError`` (``T:common/exception.py``), one of several that Trove sends as
    401; ``verify_swift_auth_token`` (``T:backup/models.py``) raises it before anything
    is created or deleted.
    """
    if not message.startswith(NO_STORE):
        return ""
    return (
        " If the token is of an application credential with access rules, a rule for "
        "the object store may be missing."
    )


def _request_id(exc: trove.HttpError) -> str:
    """Format the ID by which the cloud's operator finds a request in the logs."""
    headers = exc.response.headers if exc.response is not None else {}
    return f", request {headers[REQUEST_ID]}" if headers.get(REQUEST_ID) else ""


def _is_policy(message: str) -> bool:
    """Whether it is oslo.policy's refusal, not Trove's 403 (``common/policy.py``)."""
    return "policy" in message.lower() or "not authorized" in message.lower()


def _from_keystone(exc: ksa.HttpError, what: str, *, changing: bool) -> TroveExtError:
    if isinstance(exc, ksa.Unauthorized):
        return LoginError(f"{what}: Keystone refuses the log-in: {_first_line(exc)}")
    if isinstance(exc, ksa.NotFound) and str(url_of(exc)).endswith("/auth/tokens"):
        # A password is refused with 401; only an expired token "is not found".
        return LoginError(
            f"{what}: the token that was given has expired or was revoked; use a new "
            "token, or a password",
            follow_ups=[add("use a new token", Setting.TOKEN)],
        )
    if exc.http_status in SERVER_ERRORS or exc.http_status in NOT_PROCESSED:
        return _lost(what, _first_line(exc), changing=changing)
    return ServiceError(f"{what}: {_first_line(exc)}")


def _lost(what: str, why: str, *, changing: bool) -> ServiceError:
    if changing:
        return LostAnswerError(
            f"{what}: no usable response arrived, so it may or may not have "
            f"taken effect: {why}"
        )
    return UnreachableError(f"{what}: no usable response: {why}")


def _never_sent(exc: BaseException) -> bool:
    """Whether the request can't have been sent, because the connection was refused."""
    text = str(exc)
    return "Connection refused" in text or "Name or service not known" in text


def _keys(exc: trove.HttpError) -> set[str]:
    body = _body(exc)
    return set(body) if isinstance(body, dict) else set()


def _body(exc: trove.HttpError) -> Any:
    try:
        return exc.response.json() if exc.response is not None else None
    except ValueError:
        return None


def _message(exc: trove.HttpError) -> str:
    if isinstance(_body(exc), dict):
        text = getattr(exc, "message", None) or str(exc)
    else:
        text = _FOREIGN
    return " ".join(str(text).split())


def _first_line(exc: BaseException) -> str:
    return str(exc).strip().splitlines()[0] if str(exc).strip() else type(exc).__name__

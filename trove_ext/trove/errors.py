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

"""What a failed request means, in words.

Sources: ``trove/common/wsgi.py`` (``Controller.exception_map``, ``Fault``): Trove's
plain ``Forbidden`` is sent as 401 with the key ``unauthorized``; keystonemiddleware's
401 has the key ``error``. A policy refusal is 403. 413 with Retry-After is a rate
limit, without it a quota.
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
    NotFoundError,
    PolicyError,
    RefusedError,
    ServiceError,
    TroveExtError,
    UnreachableError,
)

#: What a limit of requests is answered with: by Trove itself, by a proxy, and by one
#: that asks for a pause.
TOO_MANY = 413
LIMITED = frozenset({TOO_MANY, 429, 503})
#: Of a read: nothing was looked at, and it may be asked again.
NOT_LOOKED_AT = frozenset({408, 425, 429})
ACCEPTED = 202
#: The key of Trove's 404 (``trove/common/wsgi.py``, ``Fault``); a load balancer's has
#: none, and says nothing of what is there.
NOT_FOUND = "itemNotFound"
_FOREIGN = "an answer that is not Trove's"
#: Answers of something between us and Trove, or of a Trove that is not well.
SERVER_ERRORS = range(500, 600)
ERRORS = range(400, 600)


def retry_after(exc: BaseException) -> float | None:
    """Return the seconds of a limit's Retry-After; None where there is none to follow.

    The header itself is read: troveclient's attribute is 0 for a missing one too. One
    that is neither seconds nor a date is none.
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
    """Take what Trove can't have sent for no answer at all.

    Something between us and Trove sends it: a page of HTML as a success, or any
    success but 202 after an action or a delete (``trove/instance/service.py``,
    ``trove/backup/service.py``). troveclient does not read these bodies, and would
    take it for Trove's 202. Of an error that is JSON of another form, or that has a
    Retry-After and is no 413, it fails to make an exception
    (``troveclient/apiclient/exceptions.py``, ``from_response``).

    :raises requests.RequestException: it is a success that Trove did not send; what it
        means depends on the request
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
        raise requests.RequestException("the answer is a web page, not Trove's")
    request = response.request
    path = urlsplit(str(request.url)).path
    acts = request.method == "DELETE" or path.endswith("/action")
    if acts and status != ACCEPTED:
        raise requests.RequestException(
            f"the answer is not Trove's: HTTP {status}, not {ACCEPTED}"
        )


def _says_why(response: requests.Response) -> bool:
    """Tell whether an error can be read, or is no JSON at all."""
    try:
        body = response.json()
    except ValueError:
        return True
    if not isinstance(body, dict) or "message" in body:
        return True
    return bool(body) and isinstance(next(iter(body.values())), dict)


def was_read(exc: BaseException) -> bool:
    """Tell whether it is the answer to a GET.

    A stock action sends several requests: ``instance create`` reads the new instance
    after it has made it (``troveclient/osc/v1/database_instances.py``). That a read is
    turned away says nothing of what was sent before.
    """
    request = getattr(getattr(exc, "response", None), "request", None)
    return getattr(request, "method", None) == "GET"


def was_unread(exc: BaseException) -> bool:
    """Tell whether a change was turned away by Trove's rate limit, unread.

    What a proxy answers (429, 503) says less: it may have been carried out.
    """
    return getattr(exc, "http_status", None) == TOO_MANY and not was_read(exc)


def translate(exc: Exception, what: str, *, changing: bool) -> TroveExtError:
    """Turn any exception of a request into one of ours.

    :param what: the thing asked for or the change sent
    :param changing: whether the request may have changed something; then an answer
        that was lost is not the same as one that said no
    :raises Exception: ``exc`` itself where it is no error of a request
    """
    if isinstance(exc, TroveExtError):
        return exc
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


def lost(what: str, exc: Exception) -> TroveExtError:
    """Say that it is not known what came of a change.

    :param exc: what came in place of an answer
    """
    return _lost(what, _first_line(exc), changing=True)


def _misread(exc: Exception) -> str:
    lacks = f", it lacks {exc}" if isinstance(exc, KeyError) else ""
    return (
        f"the answer is not one of Trove's{lacks} (does the endpoint in the service "
        "catalog lead to Trove?)"
    )


def is_misread(exc: Exception) -> bool:
    """Tell what troveclient raises of a body that it reads without looking first.

    Of an empty one and of none in JSON it raises ``Exception`` itself
    (``troveclient/base.py``).
    """
    kinds = (TypeError, KeyError, AttributeError, ValueError)
    return isinstance(exc, kinds) or type(exc) is Exception


def _from_status(exc: trove.HttpError, what: str, *, changing: bool) -> TroveExtError:
    status, message = exc.http_status, _message(exc)
    unseen = status in NOT_LOOKED_AT and not changing
    foreign = status == trove.NotFound.http_status and _keys(exc) != {NOT_FOUND}
    if status in SERVER_ERRORS or unseen or foreign or (changing and was_read(exc)):
        return _lost(what, f"HTTP {status}: {message}", changing=changing)
    if status == trove.NotFound.http_status:
        return NotFoundError(f"{what}: there is no such thing ({message})")
    if status == trove.Unauthorized.http_status and _keys(exc) != {"unauthorized"}:
        return LoginError(f"{what}: Keystone's token was not accepted: {message}")
    if status == trove.Forbidden.http_status and _is_policy(message):
        return PolicyError(
            f"{what}: the cloud's policy does not allow this to you (HTTP 403, not a "
            f"failed log-in): {message}",
            status=status,
        )
    if (seconds := retry_after(exc)) is not None:
        message = f"too many requests, try again in {seconds:.0f} s: {message}"
    return RefusedError(
        f"{what}: Trove refuses it: {message} (HTTP {status})", status=status
    )


def _is_policy(message: str) -> bool:
    """Tell oslo.policy's refusal from Trove's own 403s (``common/policy.py``)."""
    return "policy" in message.lower() or "not authorized" in message.lower()


def _from_keystone(exc: ksa.HttpError, what: str, *, changing: bool) -> TroveExtError:
    if isinstance(exc, ksa.Unauthorized):
        return LoginError(f"{what}: Keystone refuses the log-in: {_first_line(exc)}")
    if exc.http_status in SERVER_ERRORS or exc.http_status in NOT_LOOKED_AT:
        return _lost(what, _first_line(exc), changing=changing)
    return ServiceError(f"{what}: {_first_line(exc)}")


def _lost(what: str, why: str, *, changing: bool) -> ServiceError:
    if changing:
        return LostAnswerError(
            f"{what}: no usable answer came, so it may have taken effect or not: {why}"
        )
    return UnreachableError(f"{what}: no usable answer: {why}")


def _never_sent(exc: BaseException) -> bool:
    """Tell whether no byte of the request can have left: nobody took the connection."""
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

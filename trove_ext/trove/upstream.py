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

"""Private parts of python-troveclient and keystoneauth1 that this package uses.

Each function uses one of them and names it if it is missing: a warning on stderr, once
in a process, and the work continues without it. What the commands use of cliff and
osc-lib is in :mod:`trove_ext.osc.hooks.upstream`.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: The parts that have been reported in this process.
_reported: set[tuple[str, str]] = set()


def changed(library: str, part: str, effect: str) -> None:
    """Warn on stderr that a library has changed; once for each part.

    :param library: the name of the distribution: "cliff"
    :param part: what is missing or different: "CommandManager.find_command"
    :param effect: what does not work without it, as a clause
    """
    if (library, part) in _reported:
        return
    _reported.add((library, part))
    if sys.stderr is not None:
        sys.stderr.write(
            f"WARNING: {library} {_version(library)} has changed {part}, which "
            f"trove-ext uses: {effect}.\n"
        )


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "(of unknown version)"


def session_of(client: Any) -> Any:
    """Return the keystoneauth session of troveclient's client, None if it has none.

    ``Client.client`` is an adapter over it (``troveclient/v1/client.py``,
    ``troveclient/client.py``, ``SessionClient``).
    """
    session = getattr(getattr(client, "client", None), "session", None)
    if session is None:
        changed(
            "python-troveclient",
            "Client.client.session",
            "requests have no read time-out, and what was sent is known less well",
        )
    return session


@contextlib.contextmanager
def request_timeout(client: Any, seconds: float) -> Iterator[None]:
    """Set the read time-out of each request of a client inside the block."""
    with timeout_of(session_of(client), seconds):
        yield


@contextlib.contextmanager
def timeout_of(session: Any, seconds: float) -> Iterator[None]:
    """Set the read time-out of each request of a keystoneauth session in the block.

    ``Session.timeout`` is read for each request (``keystoneauth1/session.py``,
    ``Session.request``).

    :param session: None if there is none, which was reported already
    """
    if session is None or not hasattr(session, "timeout"):
        if session is not None:
            changed("keystoneauth1", "Session.timeout", "a silent server is waited for")
        yield
        return
    before, session.timeout = session.timeout, seconds
    try:
        yield
    finally:
        session.timeout = before


@contextlib.contextmanager
def response_hook(client: Any, hook: Callable[..., None]) -> Iterator[None]:
    """Call a function with each response inside the block, before it is evaluated.

    ``Session.session`` is the ``requests.Session`` (``keystoneauth1/session.py``); its
    hooks see the responses of the log-in too.
    """
    inner = getattr(session_of(client), "session", None)
    hooks = getattr(inner, "hooks", None)
    if hooks is None or "response" not in hooks:
        changed(
            "keystoneauth1",
            "Session.session.hooks",
            "after an error it is not known whether a change took effect",
        )
        yield
        return
    hooks["response"].append(hook)
    try:
        yield
    finally:
        hooks["response"].remove(hook)


def send_action(manager: Any, instance_id: str, body: dict[str, Any]) -> Any:
    """Send an action that troveclient has no method for.

    ``Instances._action`` posts a body to ``/instances/<id>/action``
    (``troveclient/v1/instances.py``).

    :raises AttributeError: it is missing, and nothing was sent
    """
    if not hasattr(manager, "_action"):
        changed("python-troveclient", "Instances._action", "this action can't be sent")
    return manager._action(instance_id, body)  # noqa: SLF001

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

"""Keep passwords and tokens out of every log line and message.

With ``--debug`` or ``--log-file`` osc-lib logs the parsed arguments
(``osc_lib/command/command.py``, ``run(Namespace...)``) and keystoneauth the body of
each request (``keystoneauth1/session.py``, ``REQ: curl``), both in clear. A filter on
the handlers sees the records of all loggers. osc-lib's first lines, ``START with
options`` and ``options: Namespace``, are written before any plugin is loaded and can't
be reached from here (``osc_lib/shell.py``, ``initialize_app``).
"""

from __future__ import annotations

import json
import logging
import re
import traceback

from oslo_utils import strutils

from trove_ext.osc.base.escape import escape
from trove_ext.osc.hooks import upstream

HIDDEN = "***"
#: The minimum length of a password that is masked without its user.
SHORTEST = 6
#: A complete password in a body of JSON: oslo.utils' own expression ends at the first
#: quote, even an escaped one.
_JSON_PASSWORD = re.compile(r'("password": ?")(?:\\.|[^"\\])*(")')


def _spellings(secret: str) -> set[str]:
    """Return a text as JSON and as Python's ``repr`` quote and escape it."""
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
    }


class Mask(logging.Filter):
    """Mask what looks like a secret, and every secret that is known to be one."""

    def __init__(self) -> None:
        super().__init__()
        self._secrets: set[str] = set()

    def hide(self, *secrets: str) -> None:
        """Mask these texts from now on, in every position and quoting."""
        for secret in secrets:
            self._secrets.update(spelling for spelling in _spellings(secret) if secret)

    def __call__(self, text: str) -> str:
        """Return a text without its secrets."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        text = _JSON_PASSWORD.sub(rf"\g<1>{HIDDEN}\g<2>", text)
        return str(strutils.mask_password(text, HIDDEN))

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask a record in place, its traceback too; escape control characters.

        cliff logs the errors of stock code, with unescaped names in them.
        """
        record.msg, record.args = escape(self(record.getMessage())), None
        if record.exc_info and record.exc_info[0] is not None:
            lines = traceback.format_exception(*record.exc_info)
            record.exc_text = escape(self("".join(lines).rstrip("\n")))
        return True


#: A process has one log, and so one mask.
mask = Mask()


def install() -> None:
    """Add the mask to every handler of the root logger, once."""
    for handler in upstream.log_handlers():
        handler.addFilter(mask)


def hide_credential(text: str) -> None:
    """Mask a ``user:password``.

    A short password alone is not masked: it could occur in ordinary words.
    """
    password = text.partition(":")[2]
    if password:
        mask.hide(text, password if len(password) >= SHORTEST else "")

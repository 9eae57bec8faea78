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
"""Prompt before something is done that can't be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.exceptions import NotConfirmedError, UsageError
from trove_ext.osc.base.escape import escape

if TYPE_CHECKING:
    import argparse

    from cliff.app import App

ANSWERS = frozenset({"y", "yes"})


def add_yes_option(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--yes``.

    :param what: what is done without a prompt, as text
    """
    parser.add_argument("-y", "--yes", action="store_true", help=what)


def at_terminal(app: App) -> bool:
    """Whether stdin and stderr are a terminal, so a prompt can be answered."""
    streams = (app.stdin, app.stderr)
    return all(stream is not None and stream.isatty() for stream in streams)


def confirm(app: App, question: str, *, yes: bool, about: str = "") -> None:
    """Continue only with a yes: at a terminal by a prompt, elsewhere by ``--yes``.

    :param about: what the question is about, in lines; shown before it
    :raises NotConfirmedError: the answer was no, or none
    :raises UsageError: there is no terminal, and ``--yes`` was not given
    """
    if yes:
        return
    need_terminal(app, question)
    ask(app, question, about)


def need_terminal(app: App, why: str) -> None:
    """Refuse to continue if there is no terminal.

    :param why: what has to be confirmed, as text
    :raises UsageError: there is none
    """
    if not at_terminal(app):
        raise UsageError(
            f"{why} There is no terminal to ask for confirmation; use --yes. "
            "Nothing was changed."
        )


def ask(app: App, question: str, about: str = "") -> None:
    """Prompt at the terminal, on stderr, with ``-q`` too.

    :param about: what the question is about, in lines
    :raises NotConfirmedError: the answer was no, or none
    """
    if about:
        app.stderr.write(escape(about) + "\n")
    app.stderr.write(f"{escape(question)} [y/N] ")
    app.stderr.flush()
    answer = ""
    try:
        answer = app.stdin.readline()
    finally:
        if not answer:
            # Ctrl-D and Ctrl-C leave the line of the prompt open.
            app.stderr.write("\n")
    if answer.strip().lower() not in ANSWERS:
        raise NotConfirmedError("Not confirmed: nothing was changed.")

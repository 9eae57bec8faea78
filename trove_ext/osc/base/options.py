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

"""Options of several commands, ours and hooked stock ones.

The hooks import this with every stock command, so it imports almost nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from typing import Any

    from cliff.app import App

    from trove_ext.model.rotation_naming import NamePattern

#: Seconds to wait if no ``--timeout`` is given; the identity of this object
#: distinguishes it from ``--timeout 3600``.
DEFAULT_TIMEOUT = float(3600)


def seconds(text: str) -> float:
    """Parse a time-out: seconds, 0 for no limit.

    :raises ValueError: it is negative or no number
    """
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError(text)
    return value


def add_wait_options(parser: argparse.ArgumentParser, done: str) -> None:
    """Add ``--wait`` and ``--timeout``, which is refused without ``--wait``.

    :param done: what is waited for, as a clause: "the backup is COMPLETED"
    """
    parser.add_argument(
        "--wait",
        action="store_true",
        help=f"Wait until {done}; exit with an error if it fails",
    )
    add_timeout_option(parser)
    parse_args = parser.parse_args

    def checked(args: Any = None, namespace: Any = None) -> Any:
        parsed = parse_args(args, namespace)
        waits = parsed.wait or getattr(parsed, "backup_first", False)
        if not waits and parsed.timeout is not DEFAULT_TIMEOUT:
            parser.error("--timeout limits the wait: give --wait too")
        return parsed

    parser.parse_args = checked  # type: ignore[method-assign]


def add_backup_first_options(
    parser: argparse.ArgumentParser, action: str, *, of: str = "the instance"
) -> None:
    """Add ``--backup-first`` and ``--backup-name``.

    :param action: what follows the backup, as the default name has it: "upgrade"
    :param of: what is backed up, as text
    """
    default = f"{{instance}}-before-{action}-{{time}}"
    parser.add_argument(
        "--backup-first",
        action="store_true",
        help=f"Take a full backup of {of} first, wait until it is COMPLETED, and read "
        f"that it can be restored; if it can't, nothing is done to {of}",
    )
    parser.add_argument(
        "--backup-name",
        metavar="<pattern>",
        type=name_pattern,
        help="Name of that backup, in which {instance}, {type} and {time} are replaced "
        "and the time is UTC, as {time:%%Y-%%m-%%d} if given a format (default: "
        f"{default})",
    )
    parse_args = parser.parse_args

    def checked(args: Any = None, namespace: Any = None) -> Any:
        parsed = parse_args(args, namespace)
        if parsed.backup_name is not None and not parsed.backup_first:
            parser.error("--backup-name names a backup: give --backup-first too")
        if parsed.backup_first and parsed.backup_name is None:
            parsed.backup_name = name_pattern(default)
        return parsed

    parser.parse_args = checked  # type: ignore[method-assign]


def name_pattern(text: str) -> NamePattern:
    """Parse a pattern for the names of backups.

    :raises ArgumentTypeError: it can't be used
    """
    from argparse import ArgumentTypeError

    from trove_ext.model.rotation_naming import NamePattern

    try:
        return NamePattern(text)
    except ValueError as exc:
        raise ArgumentTypeError(str(exc)) from exc


def positive(text: str) -> int:
    """Parse a whole number above 0.

    :raises ArgumentTypeError: it is none
    """
    from argparse import ArgumentTypeError

    if not text.isdecimal() or int(text) == 0:
        raise ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def add_dry_run_option(parser: argparse.ArgumentParser, instead: str) -> None:
    """Add ``--dry-run``.

    :param instead: what is done instead, as text
    """
    parser.add_argument(
        "--dry-run", action="store_true", help=f"{instead}, and change nothing"
    )


def add_probe_option(parser: argparse.ArgumentParser, claim: str) -> None:
    """Add ``--probe``.

    :param claim: what is proved, and when, as text
    """
    parser.add_argument(
        "--probe",
        action="store_true",
        help=f"Prove {claim}, with a temporary database that is created on the source "
        "and awaited on the replica",
    )


def add_timeout_option(
    parser: argparse.ArgumentParser,
    what: str = "Stop waiting after this many seconds and exit with code 124; the "
    "operation continues on the server",
) -> None:
    """Add ``--timeout``.

    :param what: what happens at the time-out, as text
    """
    parser.add_argument(
        "--timeout",
        metavar="<seconds>",
        type=seconds,
        default=DEFAULT_TIMEOUT,
        help=f"{what} (default: 3600; 0: no limit)",
    )


def add_engine_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--engine``."""
    parser.add_argument(
        "--engine",
        choices=("mysql", "mariadb", "postgresql"),
        help="Database engine of the instances, whose rules differ (default: the "
        "environment variable TROVE_EXT_ENGINE, else the one that the name of the "
        "datastore shows)",
    )


def escape_errors(parser: argparse.ArgumentParser) -> None:
    """Escape control characters in error messages, which repeat the arguments."""
    error = parser.error

    def escaped(message: str) -> None:
        from trove_ext.osc.base.escape import escape

        error(escape(message))

    parser.error = escaped  # type: ignore[method-assign, assignment]


def keep_dashes(parser: argparse.ArgumentParser, *only: str) -> None:
    """Take ``--`` in ``--option=--`` as the value, as argparse of Python 3.13 does.

    That of 3.11 and 3.12 drops it, and stores an empty list for an option that takes
    one value (``ArgumentParser._get_values``; it is called on the instance). There is
    no public place to correct that.

    :param only: the names in the namespace of the options to change; default: all
    """
    get_values = parser._get_values  # noqa: SLF001

    def kept(action: argparse.Action, words: list[str]) -> Any:
        one_value = bool(action.option_strings) and action.nargs is None
        if not one_value or words != ["--"] or (only and action.dest not in only):
            return get_values(action, words)
        value = parser._get_value(action, "--")  # noqa: SLF001
        parser._check_value(action, value)  # noqa: SLF001
        return value

    parser._get_values = kept  # type: ignore[method-assign, assignment]  # noqa: SLF001


def refuse_undecodable(parser: argparse.ArgumentParser) -> None:
    """Refuse an argument with bytes that the encoding of the locale does not have.

    Python keeps them as lone surrogates, which a text in a URL or in JSON can't
    contain: no name of the cloud has them, and keystoneclient leaves them out of its
    query, which then finds any project. The name of a file may have them.
    """
    parse_args = parser.parse_args

    def checked(args: Any = None, namespace: Any = None) -> Any:
        parsed = parse_args(args, namespace)
        for name, value in vars(parsed).items():
            texts = [value] if isinstance(value, str) else value
            if name.endswith("_file") or not isinstance(texts, list):
                continue
            for text in texts:
                if isinstance(text, str) and not text.isascii():
                    _check_decoded(parser, text)
        return parsed

    parser.parse_args = checked  # type: ignore[method-assign]


def _check_decoded(parser: argparse.ArgumentParser, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        parser.error(f"'{text}' has bytes that are no text in the encoding in use")


def guard_parsing(parser: argparse.ArgumentParser, app: App) -> None:
    """Report an exception of an option's type function as an internal error.

    argparse handles ``ArgumentTypeError``, ``TypeError`` and ``ValueError`` only; cliff
    logs any other and exits with 1 (``cliff/app.py``, ``run_subcommand``).
    """
    parse_args = parser.parse_args

    def guarded(args: Any = None, namespace: Any = None) -> Any:
        try:
            return parse_args(args, namespace)
        except Exception as exc:
            from trove_ext.osc.base.run import report_internal

            raise SystemExit(report_internal(app, exc)) from exc

    parser.parse_args = guarded  # type: ignore[method-assign]

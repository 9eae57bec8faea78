#!/usr/bin/env python3
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

"""Records the terminal sessions of the documents from real runs.

    doc/record.py [<name>...]

Reads ``doc/sessions.txt``, runs its commands in order against a sandbox of its own,
and writes ``doc/source/sessions/<session>.txt``, or ``.svg`` for a session as it looks
at a terminal (made by rich). With names, only these sessions are written; all commands
are run in any case, because each session starts in the state that the previous one
left. Run it as ``tox -e record``: it needs the sandbox's environment, and pyte.

In ``sessions.txt``::

    == name          a session
    == name svg      a session at a terminal of 100 columns, as a picture
    $ command        run and shown; exit code 0
    $[124] command   run and shown; that exit code
    > command        run, not shown
    @ 2.5            svg: takes the picture this many seconds after the start

A command that ends with another exit code, or a table of more than 96 columns (the
width of a page), ends the recording with an error.
"""

from __future__ import annotations

import dataclasses
import io
import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import tempfile
import time

import pyte
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

HERE = pathlib.Path(__file__).parent
TARGET = HERE / "source" / "sessions"
WIDTH = 100
TABLE_WIDTH = 96
LINE = re.compile(r"(?P<kind>[$>])(?:\[(?P<code>\d+)\])? (?P<command>.*)")

#: Readable on the dark window that rich draws, whatever the colour of the page.
THEME = TerminalTheme(
    (30, 34, 42),
    (222, 225, 230),
    [
        (70, 76, 90),
        (235, 110, 120),
        (152, 200, 120),
        (230, 195, 120),
        (110, 175, 240),
        (200, 130, 225),
        (90, 190, 200),
        (222, 225, 230),
    ],
    [
        (130, 138, 155),
        (245, 130, 140),
        (170, 215, 140),
        (240, 210, 140),
        (135, 195, 250),
        (215, 150, 235),
        (115, 205, 215),
        (245, 246, 248),
    ],
)


class RecordingError(Exception):
    """A session that can't be recorded as it is written."""


@dataclasses.dataclass
class Step:
    command: str
    shown: bool
    code: int
    snapshot: float | None = None


@dataclasses.dataclass
class Session:
    name: str
    picture: bool
    steps: list[Step]


def read_sessions(path: pathlib.Path) -> list[Session]:
    sessions: list[Session] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if line.startswith("== "):
            _, name, *form = line.split()
            sessions.append(Session(name, "svg" in form, []))
        elif line.startswith("@ "):
            sessions[-1].steps[-1].snapshot = float(line[2:])
        elif match := LINE.fullmatch(line):
            shown, code = match["kind"] == "$", int(match["code"] or 0)
            sessions[-1].steps.append(Step(match["command"], shown, code))
        else:
            raise RecordingError(f"{path.name}:{number}: {line!r} is no step")
    return sessions


def run_piped(step: Step, cwd: str) -> str:
    done = subprocess.run(
        ["bash", "-c", step.command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != step.code:
        raise RecordingError(
            f"{step.command}: exit code {done.returncode}, not {step.code}\n"
            f"{done.stdout}"
        )
    return done.stdout.replace(cwd, "/home/me")


def run_at_terminal(step: Step, cwd: str) -> Text:
    """Run a command in a terminal of its own and return the screen."""
    screen = pyte.Screen(WIDTH, 60)
    stream = pyte.ByteStream(screen)
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        os.environ |= {"TERM": "xterm-256color", "COLUMNS": str(WIDTH), "LINES": "60"}
        os.execvp("bash", ["bash", "-c", step.command])  # noqa: S606
    start = time.monotonic()
    taken: Text | None = None
    while True:
        ready, _, _ = select.select([master], [], [], 0.1)
        if ready:
            try:
                data = os.read(master, 65536)
            except OSError:
                break
            if not data:
                break
            stream.feed(data)
        late = step.snapshot is not None and time.monotonic() - start > step.snapshot
        if late and taken is None:
            taken = screen_text(screen)
    _, status = os.waitpid(pid, 0)
    if os.waitstatus_to_exitcode(status) != step.code:
        raise RecordingError(f"{step.command}: {screen_text(screen).plain}")
    return taken if taken is not None else screen_text(screen)


def screen_text(screen: pyte.Screen) -> Text:
    lines = []
    for row in range(screen.lines):
        line = Text()
        for column in range(screen.columns):
            char = screen.buffer[row][column]
            line.append(char.data, style=style_of(char))
        line.rstrip()
        lines.append(line)
    while lines and not lines[-1].plain:
        lines.pop()
    return Text("\n").join(lines)


def style_of(char: pyte.screens.Char) -> str:
    words = [
        rich_name
        for name, rich_name in (
            ("bold", "bold"),
            ("italics", "italic"),
            ("underscore", "underline"),
        )
        if getattr(char, name)
    ]
    if char.fg != "default":
        words.append(colour_of(char.fg))
    return " ".join(words)


def colour_of(name: str) -> str:
    """Return rich's name for a colour of pyte: its name, or six hexadecimal digits."""
    if re.fullmatch("[0-9a-f]{6}", name):
        return f"#{name}"
    return {"brown": "yellow", "brightbrown": "bright_yellow"}.get(
        name, name.replace("bright", "bright_")
    )


def check_width(session: Session, text: str) -> None:
    wide = [
        line
        for line in text.splitlines()
        if line[:1] in {"+", "|"} and len(line) > TABLE_WIDTH
    ]
    if wide:
        raise RecordingError(
            f"{session.name}: a table of {len(wide[0])} columns; choose some with -c"
        )


def record_text(session: Session, cwd: str) -> str:
    parts = []
    for step in session.steps:
        output = run_piped(step, cwd)
        if step.shown:
            parts.append(f"$ {step.command}\n{output}")
    return "\n".join(parts)


def record_picture(session: Session, cwd: str) -> str:
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for step in session.steps:
        if not step.shown:
            run_piped(step, cwd)
            continue
        console.print(Text(f"$ {step.command}", style="bold"))
        console.print(run_at_terminal(step, cwd))
    return console.export_svg(
        title="openstack", theme=THEME, unique_id=f"s-{session.name}"
    )


def record(session: Session, cwd: str, *, write: bool) -> None:
    sys.stderr.write(f"{session.name} ...\n")
    text = (record_picture if session.picture else record_text)(session, cwd)
    if not session.picture:
        check_width(session, text)
    if write:
        suffix = ".svg" if session.picture else ".txt"
        path = (TARGET / session.name).with_suffix(suffix)
        path.write_text(text, encoding="utf-8")


def exports(sandbox: str) -> dict[str, str]:
    lines = subprocess.run(
        ["trove-sandbox", "--dir", sandbox, "env"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    pairs = re.findall(r"export (\w+)=(\S+)", lines)
    return dict(pairs)


def main() -> int:
    names = set(sys.argv[1:])
    sessions = read_sessions(HERE / "sessions.txt")
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        sandbox = f"{home}/.local/state/trove-ext/sandbox"
        os.environ |= {"HOME": home, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        # The width of the recorded terminal.
        os.environ["CLIFF_MAX_TERM_WIDTH"] = str(TABLE_WIDTH)
        subprocess.run(["trove-sandbox", "up"], check=True, stdout=subprocess.DEVNULL)
        os.environ |= exports(sandbox)
        try:
            for session in sessions:
                wanted = not names or session.name in names
                record(session, home, write=wanted)
        except RecordingError as exc:
            sys.stderr.write(f"record.py: {exc}\n")
            return 1
        finally:
            subprocess.run(
                ["trove-sandbox", "down"], check=False, stderr=subprocess.DEVNULL
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())

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

"""The layout of the help of our commands: paragraphs, and an example as typed."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from typing import Any

#: argparse leaves this many columns free at the right (``argparse.HelpFormatter``).
MARGIN = 2


def keep_paragraphs(parser: argparse.ArgumentParser) -> None:
    """Make the help show the paragraphs of the description and of the epilog.

    argparse makes one paragraph of each (``HelpFormatter._fill_text``). The parser
    keeps the texts as they are: the documentation is generated from them.
    """
    stock: Any = parser.formatter_class

    class ParagraphFormatter(argparse.RawDescriptionHelpFormatter, stock):  # type: ignore[misc]
        pass

    parser.formatter_class = ParagraphFormatter
    plain = parser.format_help

    def format_help() -> str:
        written = parser.description, parser.epilog
        parser.description, parser.epilog = (lay_out(text or "") for text in written)
        try:
            return plain()
        finally:
            parser.description, parser.epilog = written

    parser.format_help = format_help  # type: ignore[method-assign]


def lay_out(text: str, width: int | None = None) -> str:
    """Wrap each paragraph; an indented one, an example, is left as it is.

    :param text: reStructuredText; ``::`` before an example becomes ``:``
    :param width: in columns; that of the terminal by default
    """
    if width is None:
        width = shutil.get_terminal_size().columns - MARGIN
    paragraphs = (part for part in text.split("\n\n") if part.strip())
    return "\n\n".join(_wrap(part, width) for part in paragraphs)


def _wrap(paragraph: str, width: int) -> str:
    if paragraph.startswith(" "):
        return textwrap.indent(textwrap.dedent(paragraph), "  ")
    if paragraph.endswith("::"):
        paragraph = paragraph[:-1]
    return textwrap.fill(
        " ".join(paragraph.split()),
        width,
        break_long_words=False,
        break_on_hyphens=False,
    )

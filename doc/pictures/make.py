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

"""Draws the pictures of the documents: doc/pictures/*.dot to doc/source/images/*.svg.

Needs graphviz. The colours are in a style sheet inside each picture, which has a light
and a dark half; each picture has its own background, so it is readable on any page.
"""

from __future__ import annotations

import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).parent
TARGET = HERE.parent / "source" / "images"

STYLE = """<style>
 svg { --page: #ffffff; --ink: #1f2933; --line: #52606d; --node: #eef2f7;
       --use: #cfe8fc; --main: #2f6fb2; --main-ink: #ffffff; --gone: #fbe3e4;
       --gone-line: #b42318; --group: #cbd2d9; }
 @media (prefers-color-scheme: dark) {
  svg { --page: #1b2028; --ink: #e4e7eb; --line: #9aa5b1; --node: #2b333f;
        --use: #1d4c6e; --main: #5aa2e8; --main-ink: #10151c; --gone: #51272a;
        --gone-line: #f29b9b; --group: #4a5564; } }
 svg text { fill: var(--ink); font-family: sans-serif; }
 .graph > polygon { fill: var(--page); stroke: none; }
 .group > polygon { fill: none; stroke: var(--group); }
 .node polygon { fill: var(--node); stroke: var(--line); }
 .use polygon { fill: var(--use); }
 .main polygon { fill: var(--main); stroke: var(--main); }
 .main text { fill: var(--main-ink); }
 .gone polygon { fill: var(--gone); stroke: var(--gone-line); stroke-dasharray: 4 3; }
 .edge path { stroke: var(--line); }
 .edge polygon { fill: var(--line); stroke: var(--line); }
</style>"""


def draw(source: pathlib.Path) -> str:
    """Draw one picture.

    :raises subprocess.CalledProcessError: graphviz can't read it
    """
    done = subprocess.run(
        ["dot", "-Tsvg", str(source)], check=True, stdout=subprocess.PIPE, text=True
    )
    svg = done.stdout[done.stdout.index("<svg") :]
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r' (?:fill|stroke)="[^"]*"', "", svg)
    svg = re.sub(r"<title>.*?</title>\n?", "", svg, flags=re.DOTALL)
    svg = svg.replace('<path class="', '<path fill="none" class="')
    svg = re.sub(r"<path (?!fill)", '<path fill="none" ', svg)
    first = svg.index(">") + 1
    return svg[:first] + "\n" + STYLE + svg[first:]


def main() -> None:
    """Draw all pictures."""
    TARGET.mkdir(exist_ok=True)
    for source in sorted(HERE.glob("*.dot")):
        path = (TARGET / source.stem).with_suffix(".svg")
        path.write_text(draw(source), encoding="utf-8")


if __name__ == "__main__":
    main()

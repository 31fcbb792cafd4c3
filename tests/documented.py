"""The blocks of code in the README and the guides.

A block is fenced, or indented by four spaces. It is run by a test as it stands, or the
line before it says why not: `<!-- not run: WHY -->`. In a fence of `text` there is no
code.
"""

import dataclasses
import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", *(f"docs/{path.name}" for path in sorted(ROOT.glob("docs/*.md"))))
_MARK = re.compile(r"<!-- not run: (.+) -->")
_SHELL = re.compile(r"(yoto|pip|python|git|cd|curl|cat|mkdir) |[A-Z_]+=")


@dataclasses.dataclass(frozen=True)
class Block:
    """A block.

    Attributes:
        line: number of its first line, from 1.
        language: of the fence; of an indented block "bash" or "indented python", as it
            looks.
        code: without indentation.
        not_run: why not, or None.
    """

    line: int
    language: str
    code: str
    not_run: str | None


def blocks(page):
    """The blocks of a page, a path below the root of the repository."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    found, number, before = [], 0, ""
    while number < len(lines):
        line, start = lines[number], number
        number += 1
        fence = re.match(r" *```(\w*)", line)
        if fence:
            while not re.match(r" *```$", lines[number]):
                number += 1
            code = lines[start + 1 : number]
            number += 1
        elif line.startswith("    ") and start and not lines[start - 1]:
            while number < len(lines) and re.match("    |$", lines[number]):
                number += 1
            code = lines[start:number]
        else:
            before = line or before
            continue
        text = textwrap.dedent("\n".join(code)).strip("\n") + "\n"
        indented = "bash" if _SHELL.match(text) else "indented python"
        mark = _MARK.fullmatch(before)
        language = fence[1] if fence else indented
        found.append(Block(start + 1, language, text, mark and mark[1]))
        before = ""
    return found


def commands(code):
    """The commands of a shell block, each one line without its comment."""
    joined = re.sub(r"\\\n *", "", code)
    lines = (re.sub(r"(^| +)#.*", "", line) for line in joined.splitlines())
    return [line for line in lines if line]

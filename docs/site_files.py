"""What the documentation site shows that lies outside of `docs/`.

A hook of MkDocs, which reads pages and pictures from one folder only. On GitHub the
same pages link to files of the whole repository. Here

- pages and pictures outside of `docs/` that a page shows become part of the site;
- links to other files of the repository lead to the repository.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
PAGES = ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
PICTURES = "benchmarks/results/*.[jp][pn]g"
# The target of a link or picture, without its anchor.
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)\s#]+)")


def on_files(files, config):
    """Adds the pages and pictures outside of the documentation's folder."""
    for path in [*(ROOT / page for page in PAGES), *ROOT.glob(PICTURES)]:
        place = path.relative_to(ROOT).as_posix()
        files.append(File.generated(config, place, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Lets a page's links lead to the site where it has the file, else to GitHub."""
    source = page.file.src_uri
    inside = source not in PAGES
    folder = posixpath.dirname(f"docs/{source}" if inside else source)

    def moved(match):
        target = posixpath.normpath(posixpath.join(folder, match[1]))
        place = target.removeprefix("docs/")
        file = files.get_file_from_path(place)
        if file is not None and file.inclusion.is_included():
            return posixpath.relpath(place, posixpath.dirname(source) or ".")
        if (ROOT / target).exists():
            return f"{config.repo_url.rstrip('/')}/blob/main/{target}"
        return match[1]

    return LINK.sub(moved, markdown)

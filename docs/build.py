"""Make HTML pages of the documentation in docs/_build (`make docs`)."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from markdown_it import MarkdownIt

HERE = Path(__file__).parent
STYLE = "body{max-width:46rem;margin:2rem auto;padding:0 1rem;font:1rem/1.6 sans-serif}"
STYLE += "pre{overflow:auto;background:#f4f4f4;padding:1rem}td,th{padding:.2rem .6rem}"


def main() -> None:
    """Write one page for each Markdown file, links between them kept."""
    target = HERE / "_build"
    shutil.rmtree(target, ignore_errors=True)
    reader = MarkdownIt("commonmark").enable("table")
    for source in sorted(HERE.rglob("*.md")):
        text = source.read_text(encoding="utf-8")
        title = next((line[2:] for line in text.splitlines() if line.startswith("# ")), source.stem)
        body = re.sub(r'(href="[^":]+)\.md', r"\1.html", reader.render(text))
        page = target / source.relative_to(HERE).with_suffix(".html")
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
            f"<style>{STYLE}</style><body>{body}</body></html>\n",
            encoding="utf-8",
        )
    if (HERE / "pictures").exists():
        shutil.copytree(HERE / "pictures", target / "pictures")


if __name__ == "__main__":
    main()

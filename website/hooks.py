"""What mkdocs calls while it builds the site: the pages that are drawn from docs/results.

mkdocs.yml names this file. Nothing trains: reports, lessons and the list of claims come from the
numbers that are committed, by the functions that the commands themselves use.
"""

import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

# mkdocs need not have been started from here, nor the package be installed.
sys.path.insert(0, str(Path(__file__).parents[1]))

from website import claims, kept, lessons, notebooks, reports

# What stands in pages of docs/ where a part of them is drawn.
CLAIMS, REPORTS = "<!-- every verdict -->", "<!-- every report -->"
LESSONS, NOTEBOOKS = "<!-- every lesson -->", "<!-- every notebook -->"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Adds the pages of the lessons to the navigation, behind those that list them."""
    for entry in config.nav or []:
        for pages in entry.values():
            for language, folder in lessons.FOLDERS.items():
                if isinstance(pages, list) and f"{folder}.md" in pages:
                    pages += [
                        {one.words[language]["title"]: f"{folder}/{one.name}.md"}
                        for one in lessons.lessons()
                    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the reports, the pages of the lessons with their pictures, and the notebooks."""
    made: dict[str, str | bytes] = {}
    for one in kept.experiments():
        if one.found is not None:
            made[one.report] = reports.page(one.found)
    for lesson in lessons.lessons():
        for language, folder in lessons.FOLDERS.items():
            made[f"{folder}/{lesson.name}.md"] = lessons.page(lesson, language)
            made |= lessons.pictures(lesson, language)
            if lesson.report(language) not in made:
                made[lesson.report(language)] = reports.page(lesson.found, language)
    for language in lessons.FOLDERS:
        made |= {one.address: one.file.read_bytes() for one in notebooks.notebooks(language)}
    for address, content in made.items():
        files.append(File.generated(config, address, content=content))
    return files


def on_page_markdown(text: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fills the drawn parts of pages."""
    if CLAIMS in text:
        text = text.replace(CLAIMS, claims.page(claims.rows(kept.experiments())))
    if REPORTS in text:
        text = text.replace(REPORTS, reports.listed(kept.experiments()))
    if LESSONS in text:
        text = text.replace(LESSONS, lessons.listed(lessons.lessons(), _language(page)))
    if NOTEBOOKS in text:
        text = text.replace(NOTEBOOKS, notebooks.listed(_language(page)))
    return text


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Says what those need who hear a page: its language, and what the theme's search box is."""
    output = output.replace('role="dialog">', 'role="dialog" aria-label="Search">', 1)
    return output.replace("<article ", f'<article lang="{_language(page)}" ', 1)


def _language(page: Page) -> str:
    address = page.file.src_uri
    found = [one for one, folder in lessons.FOLDERS.items() if address.startswith(folder)]
    return found[0] if found else "en"

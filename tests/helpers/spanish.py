"""What of a report is not in Spanish."""

from pathlib import Path

from rethinking_jax.analysis import findings
from rethinking_jax.language.phrases import spoken, untranslated
from rethinking_jax.report.section import section
from rethinking_jax.report.translation import translated


def left_in_english(workdir: Path) -> list[str]:
    """What the phrase book does not know of the section of an experiment of theory."""
    found = findings.read(workdir)
    unknown: list[str] = []

    def say(text: str) -> str:
        unknown.extend(untranslated(text))
        return spoken(text, "es")

    translated(section(found._replace(config={**found.config, "language": "en"})), say)
    return list(dict.fromkeys(unknown))

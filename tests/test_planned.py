"""The tables of docs/scale.md on what configs take on chips that nobody had at hand.

python tests/test_planned.py    writes them anew, from docs/bench/compile/
"""

import json

import pytest
from conftest import REPOSITORY
from helpers import planned

PAGE = REPOSITORY / "docs" / "scale.md"


def test_no_number_on_chips_is_typed_by_hand() -> None:
    text = PAGE.read_text()
    right = planned.filled(text, planned.section(planned.read()))
    assert text == right, "python tests/test_planned.py writes it anew"


@pytest.mark.parametrize("name", planned.read())
def test_a_report_is_of_this_schema_and_names_no_machine(name: str) -> None:
    report = planned.read()[name]
    config, _, topology = name.rpartition("_")
    assert config in planned.TITLES and topology == report["topology"]["name"].replace(":", "-")
    assert report["costs"] and all(group["fits"] for group in report["groups"])
    text = json.dumps(report)
    assert not any(f'"{folder}' in text for folder in ("/home", "/work", "/tmp", "/root"))


if __name__ == "__main__":
    PAGE.write_text(planned.filled(PAGE.read_text(), planned.section(planned.read())))

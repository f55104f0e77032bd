"""Finished English texts in Spanish, by the phrase book."""

from string import Formatter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rethinking_jax.language.phrases import Template, spoken, template_of, untranslated
from rethinking_jax.language.spanish import FILES, SPANISH

TEMPLATES = [template_of(english) for english in SPANISH if template_of(english).places]
NUMBERS = ("0", "7", "0.25", "-0.03", "1,234", "1e-05", "+2", "12%", "nan")
NAMES = ("mlp_1x512", "CIFAR-10", "Adam", "cpu", "x8")


def filled(template: str, values: dict[str, str]) -> str:
    return "".join(
        literal + (values[name] if name is not None else "")
        for literal, name, _, _ in Formatter().parse(template)
    )


@given(st.data())
@settings(max_examples=5)
@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.english)
def test_a_filled_template_is_its_translation_filled_with_the_same(
    template: Template, data: st.DataObject
) -> None:
    values = {
        name: data.draw(st.sampled_from(NUMBERS if number else NUMBERS + NAMES))
        for name, number in template.places
    }
    text = filled(template.english, values)
    assert spoken(text, "es") == filled(SPANISH[template.english], values)
    assert untranslated(text) == []
    assert spoken(text, "en") == text


def test_a_phrase_and_its_translation_have_the_same_places() -> None:
    for english, spanish in SPANISH.items():
        places = [{name for name, _ in template_of(text).places} for text in (english, spanish)]
        assert places[0] == places[1], english


def test_no_phrase_stands_twice() -> None:
    assert sum(len(file.PHRASES) for file in FILES) == len(SPANISH)
    shapes = [(one.literals, tuple(number for _, number in one.places)) for one in TEMPLATES]
    assert len(set(shapes)) == len(shapes)


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("true labels", "etiquetas verdaderas"),
        ("5 training images", "5 imágenes de entrenamiento"),
        # What stands in a place is translated, too, and names stay.
        ("in distribution, with 8 from outside", "dentro, con 8 ejemplos de fuera"),
        ("Images of mnist5k and the labels they are trained with",
         "Imágenes de mnist5k y las etiquetas con las que se entrenan"),
        # Texts that are joined are taken apart.
        ("accuracy; epoch 3, 5 seeds", "exactitud; época 3, 5 semillas"),
        ("Test error. Random labels: 0.5.", "Error de prueba. Etiquetas al azar: 0.5."),
        ("true labels (3 seeds)", "etiquetas verdaderas (3 semillas)"),
        ("true labels and random labels", "etiquetas verdaderas y etiquetas al azar"),
        (" accuracy\nchance ", " exactitud\nazar "),
        # Nothing is to be said in other words.
        ("", ""), ("mlp_1x512", "mlp_1x512"), ("0.93 (0.92 to 0.94)", "0.93 (0.92 a 0.94)"),
    ],
)  # fmt: skip
def test_texts_are_taken_apart(english: str, spanish: str) -> None:
    assert spoken(english, "es") == spanish
    assert untranslated(english) == []


def test_what_the_book_does_not_know_stays_and_is_told() -> None:
    own = "what my own lesson says"
    assert spoken(own, "es") == own
    assert untranslated(own) == [own]
    assert spoken(f"accuracy; {own}", "es") == f"exactitud; {own}"
    assert untranslated(f"accuracy; {own}") == [own]
    # A template that would leave more open than it knows is not believed.
    assert spoken(f"{own}: error ~ n^-0.50", "es") == f"{own}: error ~ n^-0.50"

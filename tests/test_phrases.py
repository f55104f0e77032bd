"""Finished English texts in Spanish, by the phrase book."""

import time
from string import Formatter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rethinking_jax.language.phrases import spoken, untranslated
from rethinking_jax.language.spanish import FILES, SPANISH
from rethinking_jax.language.templates import Template, template_of

TEMPLATES = [template_of(english) for english in SPANISH if template_of(english).places]
NUMBERS = ("0", "7", "0.25", "-0.03", "1,234", "1e-05", "+2", "12%", "nan")
NAMES = ("mlp_1x512", "CIFAR-10", "Adam", "cpu", "x8")


def filled(template: str, values: dict[str, str]) -> str:
    return "".join(
        literal + (values[name] if name is not None else "")
        for literal, name, _, _ in Formatter().parse(template)
    )


def is_filled_alike(template: Template, values: dict[str, str]) -> bool:
    """Says if a filled template is its translation filled with the same, and all is known."""
    text = filled(template.text, values)
    wanted = filled(SPANISH[template.text], values)
    return spoken(text, "es") == wanted and not untranslated(text) and spoken(text, "en") == text


def test_every_template_is_found_again_in_what_it_is_filled_to() -> None:
    for values in (NUMBERS, NAMES):
        lost = []
        for template in TEMPLATES:
            places = enumerate(template.places)
            own = {name: (NUMBERS if of else values)[i % len(values)] for i, (name, of) in places}
            lost += [] if is_filled_alike(template, own) else [template.text]
        assert lost == []


@given(st.sampled_from(TEMPLATES), st.data())
@settings(max_examples=300)
def test_a_filled_template_is_its_translation_filled_with_the_same(
    template: Template, data: st.DataObject
) -> None:
    values = {
        name: data.draw(st.sampled_from(NUMBERS if number else NUMBERS + NAMES))
        for name, number in template.places
    }
    assert is_filled_alike(template, values)


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
        ("1.000 with 500, 0.941 with 1,000.", "1.000 con 500, 0.941 con 1,000."),
        # Names have marks in them.
        ("my_runs on checkerboard:500, noise,seed=0",
         "my_runs con checkerboard:500, noise,seed=0"),
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


def test_what_is_a_phrase_of_several_parts_is_not_taken_apart() -> None:
    lacking = "true labels, no regularizer, inception_small and inception_small_no_bn"
    assert spoken(f"Needs {lacking}, five epochs of each.", "es") == (
        "Hace falta: etiquetas verdaderas, sin regularizador, inception_small e "
        "inception_small_no_bn, cinco épocas de cada una."
    )


def test_long_lists_are_translated_in_no_time() -> None:
    """Many names, known or not: the work grows as their number, and nothing nests as deep."""
    known = ", ".join(["true labels", "label noise 0.5"] * 400)
    assert spoken(known, "es").count("ruido en las etiquetas 0.5") == 400
    mine = " and ".join(f"foo to bar ({'x' * (i % 7)}bar, of mine)" for i in range(200))
    began = time.process_time()
    assert spoken(mine, "es") == mine
    assert time.process_time() - began < 5

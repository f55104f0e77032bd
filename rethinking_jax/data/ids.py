"""The ids of examples, by which everything random about them is drawn."""

from collections.abc import Sequence

import numpy as np

# ImageNet's training images are numbered within their class, up to some 10**5.
IMAGENET_BITS = 22
MOST_DIGITS = 18


def example_ids(
    texts: Sequence[bytes] | None, labels: np.ndarray, file_names: bool = False
) -> np.ndarray:
    """Returns the ids that corruptions are keyed by, found in the texts that come with examples.

    The id of an example is the integer that its text ends in, before the extension where
    texts are names of files. ImageNet's training images are named nXXXXXXXX_NUMBER.JPEG, and
    their numbers repeat in other classes: there the id is label * 2**22 + NUMBER. Where this
    cannot be done with every text, two ids are equal or one is too large, all ids are
    positions.

    Args:
      texts: what tfds gives as `id`, such as b"train_16399", or as `file_name`; None where
        it gives neither.
      labels: integers [n].
      file_names: whether `texts` are names of files.

    Returns:
      uint32 [n], no two of which are equal.
    """
    count = len(labels)
    if texts is not None and count:
        words = np.asarray(texts, np.bytes_)
        characters = words.view(np.uint8).reshape(count, -1)
        ends = np.strings.str_len(words)
        if file_names:
            dots = np.strings.rfind(words, b".")
            ends = np.where(dots < 0, ends, dots)
        numbers = _last_integers(characters, ends)
        if file_names and _are_imagenet_names(characters, ends):
            small = (numbers < 1 << IMAGENET_BITS) & (labels >= 0) & (labels < 1 << 10)
            if small.all():
                numbers += np.asarray(labels, np.int64) << IMAGENET_BITS
        in_order = np.sort(numbers)
        if in_order[0] >= 0 and in_order[-1] < 1 << 32 and (np.diff(in_order) > 0).all():
            return numbers.astype(np.uint32)
    return np.arange(count, dtype=np.uint32)


def _last_integers(characters: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Returns the decimal integer before `ends` in each row: int64 [n], -1 where none fits."""
    rows = np.arange(len(ends))
    numbers, digits = np.zeros(len(ends), np.int64), np.zeros(len(ends), np.int64)
    going = np.ones(len(ends), bool)
    for k in range(min(MOST_DIGITS + 1, characters.shape[1])):
        found = characters[rows, np.maximum(ends - 1 - k, 0)].astype(np.int64) - ord("0")
        going &= (ends > k) & (found >= 0) & (found <= 9)
        if not going.any():
            break
        digits += going
        if k < MOST_DIGITS:
            numbers += np.where(going, found, 0) * 10**k
    return np.where((digits > 0) & (digits <= MOST_DIGITS), numbers, -1)


def _are_imagenet_names(characters: np.ndarray, ends: np.ndarray) -> bool:
    """Returns whether every row is a synset such as n01440764, an underscore and a number."""
    if characters.shape[1] < 11:
        return False
    is_digit = (characters >= ord("0")) & (characters <= ord("9"))
    is_digit |= np.arange(characters.shape[1]) >= ends[:, None]
    is_synset = (characters[:, 0] == ord("n")) & is_digit[:, 1:9].all(1)
    is_numbered = (characters[:, 9] == ord("_")) & is_digit[:, 10:].all(1) & (ends > 10)
    return bool((is_synset & is_numbered).all())

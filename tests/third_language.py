"""A folder of languages with room for a third one, for tests of the catalogue and of the page."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from comfywear.texts import catalogue, recalling
from comfywear.web import files
from comfywear.web import words as web_words


@contextmanager
def third_language() -> Iterator[Path]:
    """The file of a language "xx", which is one once it is written."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "languages"
        shutil.copytree(catalogue.FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        before, catalogue.FOLDER = catalogue.FOLDER, folder
        _forget()
        try:
            yield folder / "xx.json"
        finally:
            catalogue.FOLDER = before
            _forget()


def _forget() -> None:
    for each in (catalogue.languages, catalogue.words, recalling.recalled, web_words.settings_words, files.template):
        each.cache_clear()
    recalling._keys.cache_clear()
    recalling._known.cache_clear()

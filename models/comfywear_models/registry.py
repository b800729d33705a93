"""Finds models by name or path and refuses files that differ from their card."""

from __future__ import annotations

import hashlib
from pathlib import Path

from comfywear_models.cards import Card, CardError, ModelFile, load_card

FOLDER = Path(__file__).parent / "files"


def available(folder: Path = FOLDER) -> dict[str, Path]:
    """Names of the models in `folder` and the paths of their cards (`NAME.card.json`)."""
    return {path.name.removesuffix(".card.json"): path for path in sorted(folder.glob("*.card.json"))}


def find(name_or_path: str | Path, folder: Path = FOLDER) -> tuple[Card, Path]:
    """The card of a shipped model by name, or of any model by the path of its card; with the card's folder."""
    text = str(name_or_path)
    if text.endswith(".card.json"):
        return load_card(Path(text)), Path(text).parent
    known = available(folder)
    if text not in known:
        names = ", ".join(known) or "none"
        raise CardError(f"no model named {text!r}; known: {names}. Give a known name or the path of a *.card.json")
    return load_card(known[text]), folder


def verify(file: ModelFile, folder: Path) -> Path:
    """The path of a model file whose size and sha256 are those of its card; CardError when they are not."""
    path = folder / file.path
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CardError(f"{path}: the model file cannot be read ({error.strerror}); install it again") from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != file.sha256:
        raise CardError(
            f"{path}: the file is not the one on its card (sha256 {digest[:12]}…, card {file.sha256[:12]}…); "
            "it was altered or damaged: install it again"
        )
    return path

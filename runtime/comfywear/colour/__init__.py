"""Colours that people agree with: spaces, differences, names, palettes and garments, in numpy alone.

    >>> from comfywear.colour import basic_names, extract_palette
    >>> basic_names([(200, 30, 40), (113, 85, 81)])
    ['red', 'brown']

Colours are sRGB 0…255, red first. Nothing here keeps state or touches a file but the shipped table of names.
"""

from comfywear.colour.css3 import CSS3
from comfywear.colour.difference import ciede2000
from comfywear.colour.garment import garment_colours, grey_world_gains, name_shares
from comfywear.colour.names import (
    BASIC_TERMS,
    basic_name,
    basic_names,
    basic_terms,
    name_probabilities,
    names_with_shares,
    tone_words,
)
from comfywear.colour.palette import extract_palette
from comfywear.colour.spaces import (
    lab_to_rgb,
    lab_to_xyz,
    linear_to_rgb,
    linear_to_xyz,
    oklab_to_rgb,
    oklab_to_xyz,
    rgb_to_lab,
    rgb_to_linear,
    rgb_to_oklab,
    to_uint8,
    xyz_to_lab,
    xyz_to_linear,
    xyz_to_oklab,
)
from comfywear.colour.vocabularies import RAINBOW, UPAR_TERMS, VOCABULARIES, match_names

__all__ = [
    "BASIC_TERMS",
    "CSS3",
    "RAINBOW",
    "UPAR_TERMS",
    "VOCABULARIES",
    "basic_name",
    "basic_names",
    "basic_terms",
    "ciede2000",
    "extract_palette",
    "garment_colours",
    "grey_world_gains",
    "lab_to_rgb",
    "lab_to_xyz",
    "linear_to_rgb",
    "linear_to_xyz",
    "match_names",
    "name_probabilities",
    "name_shares",
    "names_with_shares",
    "oklab_to_rgb",
    "oklab_to_xyz",
    "rgb_to_lab",
    "rgb_to_linear",
    "rgb_to_oklab",
    "to_uint8",
    "tone_words",
    "xyz_to_lab",
    "xyz_to_linear",
    "xyz_to_oklab",
]

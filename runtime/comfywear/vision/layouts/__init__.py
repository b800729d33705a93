"""How detectors of other families write their boxes: one decoder a family, in numpy."""

from comfywear.vision.layouts.catalogue import LAYOUTS, Family
from comfywear.vision.layouts.decoding import Options, Raw, pick

__all__ = ["LAYOUTS", "Family", "Options", "Raw", "pick"]

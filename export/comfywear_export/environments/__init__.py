"""The simulated room and DRAL's questions on gymnasium's interface (extra `gym`).

Importing this makes them known: `gymnasium.make("comfywear_export.environments:comfywear/Room-v0")` does both.
"""

from __future__ import annotations

import gymnasium

for _name, _kind in (("Room-v0", "room:RoomEnv"), ("Asking-v0", "asking:AskingEnv")):
    gymnasium.register(f"comfywear/{_name}", entry_point=f"{__name__}.{_kind}")

"""One record of each kind, and the messages made from them."""

from __future__ import annotations

from dataclasses import replace

from comfywear import publishing
from comfywear.publishing import Message, ModelInfo, SourceInfo, Stamp
from comfywear.publishing.messages.deletion import deletion_message
from comfywear.records import (
    AdaptiveComfort,
    CameraPrivacy,
    CameraUse,
    Climate,
    Clothing,
    ColourShare,
    Comfort,
    Garment,
    LineCount,
    LineCrossing,
    Occupancy,
    Outdoors,
    Person,
    Preferred,
    PresenceChange,
    SkinTemperature,
    ThermostatUse,
    Trouble,
    Vote,
    WindowAdvice,
    ZoneActivity,
    ZoneSetpoint,
)

STAMP = Stamp("dev", "0123456789abcdef", 7, "2027-01-02T03:04:05.678+00:00", True)
CLIMATE = Climate("desk", "fresh", 23.4321, 45.678, age_s=1.234, sources=("serial:///dev/ttyUSB0",), rejected=2)
PERSON = Person(
    track_id=3,
    box=(10.0, 20.0, 30.0, 40.0),
    score=0.912345,
    garments=(
        Garment("top", 0.93, (1.0, 2.0, 3.0, 4.0), (ColourShare("blue", 0.62, (20, 30, 160)),), {"knit": 0.3}),
        Garment("trousers", 0.88),
    ),
    attributes={"upar/Accessory-Bag": 0.7},
    seen_s=12.34,
    zone="desk",
)
CLOTHING = Clothing(0.6234, 0.1, (("top", 0.25, "seen"), ("underwear", 0.04, "assumed")))
SKIN = SkinTemperature(33.456, 36.9, 0.06, (33.1, 34.2), {"air_temp +1 K": 0.2}, "thermalwear-1")
COMFORT = Comfort(
    probabilities=(0.01, 0.04, 0.15, 0.5, 0.2, 0.08, 0.02),
    expected_vote=0.16,
    preference={"cooler": 0.2, "no change": 0.7, "warmer": 0.1},
    ppd_pct=6.4,
    pmv=0.2,
    level=4,
    uncertainty=1.05,
    decision="no change",
    model="comfywear-1",
    inputs={"air_temp_c": 23.43, "met": 1.1},
    assumptions=("air speed 0.1 m/s",),
    advice=("1 K cooler would help most",),
)
VOTE = Vote(
    "ab12", "desk", 4, "comfort-5", "comfortable", "command", STAMP.ts, True, CLIMATE, (PERSON,), CLOTHING, COMFORT
)
NOTHING = Comfort((), None, {}, None, None, None, None, None, "comfywear-1", {}, reason="no air temperature")
SETPOINT = ZoneSetpoint(
    Preferred(21.84, 1.44, 20.9, 22.9, None, None, 0.853, 12.0, ("an assumption",)),
    22.0,
    "21.8 °C would please most",
    True,
)
RADIATOR = ThermostatUse("zigbee2mqtt/radiator/set", 21.0, 21.5, False, "22 °C is wanted, but it was changed just now")
MESSAGES: dict[str, Message] = {
    "status": publishing.status_message("online", STAMP, version="0.1"),
    "meta": publishing.meta_message(
        STAMP,
        site="home",
        version="0.1",
        zones=["desk"],
        sources=[SourceInfo(kind="camera", uri="v4l2:///dev/video0")],
        models=[ModelInfo(role="detector", id="detector 1", engine="onnxruntime", sha256="00")],
        scale_id="comfort-5",
        scale_words={1: "uncomfortable", 2: "b", 3: "c", 4: "d", 5: "comfortable"},
    ),
    "climate": publishing.climate_message(CLIMATE, STAMP),
    "people": publishing.people_message("desk", [(PERSON, CLOTHING, SKIN), (PERSON, None, None)], STAMP),
    "occupancy": publishing.occupancy_message(
        "desk", Occupancy("occupied", 2, 40.0), STAMP, since="2027-01-02T03:00:00+00:00"
    ),
    "presence": publishing.presence_message(PresenceChange("desk", "entered", 3, 2.04, 1), STAMP),
    "setpoint": publishing.setpoint_message("desk", SETPOINT, STAMP, thermostats=[RADIATOR]),
    "comfort": publishing.comfort_message(
        "desk",
        COMFORT,
        STAMP,
        outdoors=Outdoors(replace(CLIMATE, air_temp_c=7.34, irradiance_w_m2=412.4), 8.123, 9),
        adaptive=AdaptiveComfort(23.44, "II", 20.8, 26.2, "90 %", 19.9, 26.9),
        window=WindowAdvice(True, "cooler"),
        activity=ZoneActivity(1.62, 0.324, "schedule"),
    ),
    "vote": publishing.vote_message(VOTE, STAMP),
    "ask": publishing.ask_message("desk", "How do you feel now?", STAMP, why="no votes at 27 °C yet"),
    "deletion": deletion_message(["7f0c", "80aa"], STAMP),
    "gone": publishing.gone_message("collector", STAMP.epoch, [(1, 3), (5, 5)], STAMP),
    "reply": publishing.reply_message("identify", STAMP, id="x1", result={"seconds": 10.0}),
    "health": publishing.health_message(
        [Trouble("no-sensor", "serial:///dev/ttyUSB0", "nothing for 60 s", "look at its plug", 100.0)],
        [Trouble("no-broker", None, "timed out", "wait", 10.0, 70.0)],
        STAMP,
        now_s=130.0,
    ),
    "camera": publishing.camera_message(
        CameraUse(
            "desk", "camera gone: unplugged", ("office",), 120, 0.51234, ("far people are not looked at",), "missing"
        ),
        STAMP,
    ),
    "privacy": publishing.privacy_message(
        [CameraPrivacy("desk", "private: switched over MQTT"), CameraPrivacy("door", None)], STAMP
    ),
    "updates": publishing.updates_message(
        publishing.ProgramUpdate(installed="0.1.0", available="0.2.0", phase="fetching", percent=40),
        [publishing.ModelUpdate(name="attributes", installed="3", available="4", phase="trying", percent=100)],
        STAMP,
    ),
    "line": publishing.line_message(LineCount("door", "2027-01-02", 12, 9), STAMP),
    "crossing": publishing.crossing_message(LineCrossing("door", "in", 3, 12, 9), STAMP),
    "metrics": publishing.metrics_message({"frames": 10, "rss_mb": 123.4567, "engine_share": float("nan")}, STAMP),
}

"""Settings: what is right is read, what is wrong is named with file, line and field."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear import settings
from comfywear.cli import main
from comfywear.errors import SettingsError
from comfywear.settings.camera_uri import parse_camera_uri
from comfywear.settings.reference import settings_page
from comfywear.settings.toml_lines import explain, parse
from comfywear.settings.views import cameras_of, views_of, zones_of

DOCS = Path(__file__).resolve().parents[2] / "docs"


def write(folder: Path, text: str) -> Path:
    path = folder / "device.toml"
    path.write_text(text)
    return path


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    found = settings.load(write(tmp_path, ""))
    assert [zone.name for zone in found.zones] == ["room"]
    assert found.mqtt.host == ""
    assert found.device.name()


SCHEDULE = "[[zones]]\nname = 'a'\n[[zones.schedule]]\nstart = '08:00'\nend = '12:00'\n"


@pytest.mark.parametrize(
    ("text", "line", "field", "word"),
    [
        ("[camera]\nfps = 2\n\nsorce = 'x'\n", 4, "camera.sorce", "did you mean 'source'"),
        ("[camra]\nfps = 2\n", 1, "camra", "did you mean 'camera'"),
        ("[mqtt]\nhost = 'a'\nport = 'b'\n", 3, "mqtt.port", "a whole number is wanted, not a text"),
        ("[mqtt]\nport = 70000\n", 2, "mqtt.port", "65535"),
        ("[[zones]]\nname = 'a'\n[[zones]]\nname = 'b c'\n", 4, "zones[2].name", "without spaces"),
        ("[[zones]]\nname = 'a'\n[[zones]]\nname = 'a'\n", 4, "zones[2].name", "Two zones"),
        ("[[zones]]\nname = 'a'\nnumber = 2\n[[zones]]\nname = 'b'\n", 4, "zones[2].number", "both the number 2"),
        ("[bacnet]\nhost = 'here'\n", 2, "bacnet.host", "such as 127.0.0.1"),
        ("[bacnet]\nhost = '192.0.2.7:47808'\n", 2, "bacnet.host", "the port is bacnet.port"),
        ("[modbus]\nunit_id = 0\n", 2, "modbus.unit_id", "a whole number >= 1 is wanted"),
        ("[[zones]]\nname = 'a'\npolygon = [[0, 0], [1, 1]]\n", 3, "zones[1].polygon", "three corners"),
        ("[[sensors]]\nuri = 'thermometer://x'\n", 2, "sensors[1].uri", "there are serial://"),
        ("[[sensors]]\nuri = 'fake://'\nzone = 'b'\n", 3, "sensors[1].zone", "the zones are: room"),
        ("[outdoors]\nuris = ['weather://x']\n", 2, "outdoors.uris[1]", "there are serial://"),
        ("[outdoors]\nuris = ['mqtt://u:pw@h:1/a/%23']\n", 2, "outdoors.uris[1]", "name each topic"),
        ("[outdoors]\nuris = 'fake://'\n", 2, "outdoors.uris", "a list in [ ] is wanted"),
        ("[[sensors]]\nuri = 'fake://'\n[outdoors]\nuris = ['fake://']\n", 4, "outdoors.uris[1]", "named twice"),
        ("[[zones]]\nname = 'a'\n[zones.sun]\nsky_view = 0.3\n", 3, "zones[1].sun", "give site.latitude and"),
        (
            "[site]\nlatitude = 1\nlongitude = 1\n[[zones]]\nname = 'a'\n[zones.sun]\n",
            6,
            "zones[1].sun",
            "name a source of irradiance in outdoors.uris",
        ),
        ("[[zones]]\nname = 'a'\n[zones.sun]\nsky_view = 30\n", 4, "zones[1].sun.sky_view", "<= 1"),
        (f"{SCHEDULE}met = 1.2\ndays = ['mo']\n", 7, "zones[1].schedule[1].days[1]", "did you mean 'mon'"),
        (f"{SCHEDULE}met = 12\n", 6, "zones[1].schedule[1].met", "<= 4"),
        (f"{SCHEDULE}met = 1.2\n".replace("08:00", "8"), 4, "zones[1].schedule[1].start", "such as 08:00"),
        (SCHEDULE, 3, "zones[1].schedule[1]", "'met' is missing"),
        ("[[sensors]]\nzone = 'room'\n", 1, "sensors[1]", "'uri' is missing"),
        ("[mqtt\n", 1, "", "not valid TOML"),
        ("[zones]\nname = 'a'\n", 1, "zones", "write [[zones]] with two brackets"),
        ("[[camera]]\nsource = ''\n", 1, "camera", "write [camera] with one bracket"),
        ("[[zones]]\nname = 'a'\npolygon = [[0, 0], [50, 0], [0, 50]]\n", 3, "zones[1].polygon", "50 % is 0.5"),
        ("[web]\nenabled = yes\n", 2, "", "write true, in small letters"),
        ("[web]\nenabled = 'yes'\n", 2, "web.enabled", "true or false is wanted, not a text"),
        ("[web]\nproxy = 'proxy.local'\n", 2, "web.proxy", "An address such as 10.0.0.2 or a network"),
        ("[web]\nproxy = '10.0.0.2/24'\n", 2, "web.proxy", "An address such as 10.0.0.2 or a network"),
        ("[camera]\nfps = 1,5\n", 2, "", "decimal point: 1.5"),
        ("[mqtt]\nhost = broker\n", 2, "", "a text stands in quotes"),
        ("[vision]\nengine = 'tensorflow'\n", 2, "vision.engine", "did you mean 'tensorrt'? There are: 'auto', "),
        ("[capture]\nsamplers = ['random', 'all']\n", 2, "capture.samplers[2]", "'classes', 'count'"),
        ("[mqtt]\nhost = 'mqtt://broker.local:1884'\n", 2, "mqtt.host", "such as 'broker.local'"),
        ("[mqtt]\nhost = 'broker:1884'\n", 2, "mqtt.host", "write host = 'broker'"),
        ("[[zones]]\nname = 'a'\npolygon = [[0, 0], [1, 1], [1, 0], [0, 1]]\n", 3, "zones[1].polygon", "bow tie"),
        ("[[sensors]]\nuri = 'serial:///dev/serial/by-id/usb-…'\n", 2, "sensors[1].uri", "placeholder"),
        ("\n[mqtt]\nhost = " + "[" * 5000 + "\n", 3, "", "nested too deep"),
        ("\n[mqtt]\nport = " + "1" * 5000 + "\n", 3, "", "too many digits"),
        ("[mqtt]\nhost = ''\nport = 1_" + "0_0" * 3000 + "\n", 3, "", "too many digits"),
        ("camera.fps = -1\n", 1, "camera.fps", "a number > 0 is wanted"),
        ("[mqtt]\nhost = ''\ninterval_s = inf\n", 3, "mqtt.interval_s", "a number <= 31536000 is wanted"),
        ("[[sensors]]\nuri = 'fake://'\ntemp_gain = nan\n", 3, "sensors[1].temp_gain", "a number > 0 is wanted"),
        ("[[sensors]]\nuri = 'fake://'\ntemp_offset_k = -inf\n", 3, "sensors[1].temp_offset_k", "not -inf"),
        ("[votes]\nkeep_days = 1e6\n", 2, "votes.keep_days", "a number <= 36500 is wanted"),
        ("[capture]\nmax_mb = 1e999\n", 2, "capture.max_mb", "a number <= 1000000000 is wanted"),
        ("camera.fps = 0.0005\n", 1, "camera.fps", "must be in 0.001…1000 a second"),
    ],
)
def test_a_wrong_file_is_refused_with_file_line_and_field(
    tmp_path: Path, text: str, line: int, field: str, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, text)
    assert main(["config", "check", str(path)]) == 2
    said = capsys.readouterr().err
    assert f"{path}:{line}: {field}" in said
    assert word in said
    assert len(said.splitlines()) == 1


def numbers() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Table, name and schema of each field that takes a number."""
    for table, section in settings.sections().items():
        for name, field in settings.json_schema()["$defs"][section.__name__]["properties"].items():
            for each in (field, *field.get("anyOf", ())):
                if each.get("type") in ("number", "integer"):
                    yield table, name, each


def test_every_number_is_bounded() -> None:
    """Times and sizes are added and multiplied, and handed to calendars, clocks and databases, which overflow."""
    unbounded = {
        f"{table}.{name}" for table, name, field in numbers() if not field.keys() & {"maximum", "exclusiveMaximum"}
    }
    corrections = {"temp_offset_k", "temp_gain", "humidity_offset_pct", "humidity_gain"}
    # Of a frame rate `camera_faults` holds the bounds, with more words.
    assert unbounded == {"camera.fps", "cameras.fps"} | {f"sensors.{name}" for name in corrections}


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e999"])
def test_no_number_may_be_infinite_or_none(tmp_path: Path, value: str) -> None:
    lists = ("cameras", "zones", "sensors", "thermostats", "buttons")
    told = "state_topic = 'a'\ncommand_topic = 'b'\n"
    for table, name, field in numbers():
        if field["type"] != "number":
            continue
        head = f"[[{table}]]\n" if table in lists else f"[{table}]\n"
        needs = {
            "zones": "name = 'a'\n",
            "sensors": "uri = 'fake://'\n",
            "cameras": "name = 'a'\n",
            "thermostats": told,
        }
        needed = needs.get(table, "")
        if table == "zones.sun":
            head, needed, table = "[[zones]]\n", "name = 'a'\n[zones.sun]\n", "zones[1].sun"
        if table == "sensors.self_heating":
            head, table = "[[sensors]]\n", "sensors[1].self_heating"
            needed = "uri = 'fake://'\n[sensors.self_heating]\n" + ("" if name == "gain" else "gain = 0\n")
        if table == "zones.schedule":
            head, needed = "", SCHEDULE
            table = "zones[1].schedule[1]"
        with pytest.raises(
            SettingsError, match=rf"toml:{1 + (head + needed).count(chr(10))}: {re.escape(table)}(\[1\])?\.{name}: "
        ):
            settings.load(write(tmp_path, f"{head}{needed}{name} = {value}\n"))


def test_a_missing_file_a_folder_and_bytes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none.toml", tmp_path, tmp_path / "bytes.toml"):
        with pytest.raises(SettingsError, match=str(path)):
            settings.load(path)


def test_a_right_file_is_said_to_be_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "[camera]\nsource = '/dev/video0'\n[mqtt]\nhost = 'broker.local'\n")
    assert main(["config", "check", str(path)]) == 0
    assert "broker.local:1883" in capsys.readouterr().out


def test_what_is_probably_not_meant_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"""
[camera]
source = "/dev/video0"
[mqtt]
host = "broker.local"
password_file = "{tmp_path / "none"}"
[[zones]]
name = "room"
[[zones]]
name = "hall"
[[zones]]
name = "left"
polygon = [[0, 0], [0.6, 0], [0.6, 1], [0, 1]]
[[zones]]
name = "right"
polygon = [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]
[[zones]]
name = "apart"
polygon = [[0.6, 0.0], [0.6, 0.0], [0.6, 0.001]]
"""
    assert main(["config", "check", str(write(tmp_path, text))]) == 0
    said = capsys.readouterr().out
    assert "room, hall are each the whole picture: all people count in room" in said
    assert "left and right overlap (10 % of the picture): who stands there counts in left" in said
    assert f"mqtt.password_file: there is no file {tmp_path / 'none'}" in said
    assert "apart is 0 % of the picture: hardly anybody will stand in it" in said
    assert "right, with 4 warnings" in said


def test_protocols_without_a_password_are_a_warning_once_a_network_can_reach_them(tmp_path: Path) -> None:
    text = "[modbus]\nenabled = {on}\nhost = '0.0.0.0'\n[bacnet]\nenabled = {on}\nhost = '192.0.2.7/24'\n"
    assert list(settings.warnings(settings.load(write(tmp_path, text.format(on="false"))))) == []
    modbus, bacnet = settings.warnings(settings.load(write(tmp_path, text.format(on="true"))))
    assert "0.0.0.0 opens Modbus to a network, and it knows no password" in modbus
    assert "192.0.2.7/24 opens BACnet to a network" in bacnet
    inside = "[modbus]\nenabled = true\n[bacnet]\nenabled = true\nhost = '127.0.0.1/8'\n"
    assert list(settings.warnings(settings.load(write(tmp_path, inside)))) == []


@pytest.mark.parametrize("host", ["broker.local", "192.168.1.5", "::1", "[fe80::1%eth0]", "a_b"])
def test_a_broker_is_named_by_name_or_address(tmp_path: Path, host: str) -> None:
    assert settings.load(write(tmp_path, f"[mqtt]\nhost = '{host}'\n")).mqtt.host == host


def test_zones_without_a_camera_or_side_by_side_are_no_doubt(tmp_path: Path) -> None:
    text = "[[zones]]\nname = 'a'\n[[zones]]\nname = 'b'\n"
    beside = (
        "[camera]\nsource = '/dev/video0'\n"
        "[[zones]]\nname = 'a'\npolygon = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]\n"
        "[[zones]]\nname = 'b'\npolygon = [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]\n"
    )
    for each in (text, beside):
        assert list(settings.warnings(settings.load(write(tmp_path, each)))) == []


def test_the_schema_describes_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid({"camera": {"fps": 1.5}, "zones": [{"name": "desk"}]})
    assert not validator.is_valid({"camera": {"fsp": 1.5}})


def test_the_reference_page_is_current() -> None:
    assert (DOCS / "settings.md").read_text() == settings_page(), "run: comfywear config page > docs/settings.md"


def test_the_page_writes_a_table_of_which_there_may_be_several_with_two_brackets() -> None:
    several, one = (
        set(re.findall(rf"^## `{head}`", settings_page(), re.M)) for head in (r"\[\[(.+)\]\]", r"\[(\w.*)\]")
    )
    assert {"camera.mask", "cameras", "zones", "zones.views", "sensors", "buttons", "web.tokens"} <= several
    assert {"device", "camera", "camera.dewarp", "vision", "mqtt", "votes", "web", "updates"} <= one
    assert several | one == settings.sections().keys()


def test_every_field_has_a_title_and_a_description() -> None:
    for section in settings.sections().values():
        properties = settings.json_schema()["$defs"][section.__name__]["properties"]
        for name, field in properties.items():
            assert field.get("title"), name
            assert field.get("description"), name


@given(st.text())
def test_any_text_is_read_or_refused_in_one_way(text: str) -> None:
    try:
        parse(text, "x.toml")
    except SettingsError as error:
        assert str(error).startswith("x.toml:")


@given(st.text(), st.text())
def test_explaining_never_fails(message: str, text: str) -> None:
    assert explain(f"{message} - at `$.zones[1].name`", text, "x.toml")


TWO = """
[[cameras]]
name = "desk"
source = "/dev/video0"
[[cameras]]
name = "door"
source = "/dev/video2"
"""
VIEWS = """
[[zones]]
name = "office"
[[zones.views]]
camera = "desk"
floor = [[0, 0.5, 0, 0], [1, 0.5, 4, 0], [1, 1, 4, 3], [0, 1, 0, 3]]
[[zones.views]]
camera = "door"
polygon = [[0, 0], [0.5, 0], [0.5, 1]]
floor = [[0, 0.5, 0, 0], [1, 0.5, 4, 0], [1, 1, 4, 3], [0, 1, 0, 3]]
"""


def test_zones_name_their_camera_and_a_zone_may_be_seen_by_two(tmp_path: Path) -> None:
    hall = "[[zones]]\nname = 'hall'\ncamera = 'door'\npolygon = [[0.5, 0], [1, 0], [1, 1]]\n"
    found = settings.load(write(tmp_path, TWO + VIEWS + hall))
    assert list(cameras_of(found)) == ["desk", "door"]
    assert list(views_of(found, "desk")) == ["office"]
    assert {zone: view.polygon for zone, view in views_of(found, "door").items()} == {
        "office": ((0, 0), (0.5, 0), (0.5, 1)),
        "hall": ((0.5, 0), (1, 0), (1, 1)),
    }
    assert zones_of(found) == {"office": ("desk", "door"), "hall": ("door",)}
    assert list(settings.warnings(found)) == []
    one = settings.load(write(tmp_path, "[camera]\nsource = '/dev/video0'\n[[zones]]\nname = 'a'\n"))
    assert zones_of(one) == {"a": ("camera",)}
    single = settings.load(write(tmp_path, "[[cameras]]\nname = 'desk'\nsource = '/dev/video0'\n"))
    assert zones_of(single) == {"room": ("desk",)}, "a single one need not be named"
    assert zones_of(settings.load(write(tmp_path, "[[zones]]\nname = 'a'\n"))) == {"a": ()}


@pytest.mark.parametrize(
    ("text", "line", "field", "word"),
    [
        ("[camera]\nsource = '/dev/video1'\n" + TWO + VIEWS, 1, "camera", "is for a single camera"),
        (TWO + VIEWS.replace("door", "roof", 1), 15, "zones[1].views[2].camera", "the cameras are: desk, door"),
        (TWO.replace("door", "desk") + VIEWS, 6, "cameras[2].name", "Two cameras are named 'desk'"),
        (TWO + "[[zones]]\nname = 'a'\n", 9, "zones[1].name", "Say which camera sees"),
        (TWO + "[[zones]]\nname = 'a'\ncamera = 'door'\n", 3, "cameras[1].name", "No zone is seen by it"),
        (TWO.replace('source = "/dev/video2"', "") + VIEWS, 5, "cameras[2].source", "needs a source"),
        (TWO + VIEWS + "[[zones]]\nname = 'b'\n", 19, "zones[2].name", "Say which camera sees this zone"),
        (TWO + VIEWS.replace('"office"', "'o'\ncamera = 'desk'"), 11, "zones[1].camera", "has its cameras"),
        (TWO + VIEWS.replace('"door"', '"desk"'), 9, "zones[1].views", "one for each"),
        (TWO + VIEWS.replace(", [0, 1, 0, 3]", "", 1), 13, "zones[1].views[1].floor", "Four floor points"),
        (TWO + VIEWS.replace("[1, 1, 4, 3]", "[0.5, 0.5, 4, 3]"), 13, "zones[1].views[1].floor", "lie on a line"),
        (TWO + VIEWS.replace("floor", "polygon = []  #", 1), 9, "zones[1].views", "give them in both"),
        (TWO + VIEWS.replace("[0.5, 1]", "[0.5, 7]"), 16, "zones[1].views[2].polygon", "0 to 1"),
        (TWO.replace('video2"', 'video2"\n[[cameras.mask]]\npolygn = []'), 9, "cameras[2].mask[1].polygn", "polygon"),
    ],
)
def test_cameras_and_views_that_cannot_be_meant_are_refused_with_line_and_field(
    tmp_path: Path, text: str, line: int, field: str, word: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(SettingsError) as refused:
        settings.load(path)
    assert f"{path}:{line}: {field}" in str(refused.value)
    assert word in str(refused.value)


def test_two_views_whose_people_nothing_can_match_are_a_doubt(tmp_path: Path) -> None:
    bare = "\n".join(line for line in VIEWS.splitlines() if "floor" not in line)
    said = list(settings.warnings(settings.load(write(tmp_path, TWO + bare + "\n[vision]\nattributes = ''\n"))))
    assert len(said) == 1
    assert "office is seen by two cameras, and nothing tells whom both see" in said[0]


SCHEMES = (
    "file",
    "images",
    "v4l2",
    "picamera",
    "rtsp",
    "http",
    "serial",
    "iio",
    "mqtt",
    "gpio",
    "input",
    "mine",
    "FILE",
)
LOCAL = ("file", "images", "v4l2", "picamera", "serial", "iio", "gpio", "input")


@pytest.mark.parametrize(
    "field", ["[camera]\nsource", "[[sensors]]\nuri", "[[buttons]]\nsource"], ids=["camera", "sensor", "button"]
)
@given(
    scheme=st.sampled_from(SCHEMES),
    mark=st.sampled_from(["://", ":///", "//", ":"]),
    doubled=st.sampled_from(["", "file://", "mqtt://"]),
    login=st.sampled_from(
        ["ann:hunter2@", ":hunter2@", "ann:p@hunter2@", "a n:hunter2@", "ann:hunter2/x@", "ann:hunter2:"]
    ),
    rest=st.sampled_from(["", "h", "h/x", "192.168.1.5:554/s", "/x", "h/x?y=1", "…/"]),
    before=st.booleans(),
)
def test_a_password_is_not_shown_wherever_in_an_address_it_was_written(
    field: str, scheme: str, mark: str, doubled: str, login: str, rest: str, before: bool
) -> None:
    uri = f"{login}{scheme}{mark}{rest}" if before else f"{doubled}{scheme}{mark}{login}{rest}"
    if "@" not in uri and "hunter2://" not in uri:
        return  # no login
    if not before and mark == ":///" and scheme.lower() in LOCAL:
        return  # a path, which is shown
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), f"{field} = {json.dumps(uri)}\n")
        try:
            camera = settings.load(path).camera.source
        except SettingsError as error:
            assert "hunter2" not in str(error)
        else:
            assert not camera or "hunter2" not in parse_camera_uri(camera).shown


@pytest.mark.parametrize("proxy", ["", "*", "10.0.0.2", "fd00::2", "10.0.0.0/24, 10.1.0.1"])
def test_a_proxy_is_named_by_address_or_network(tmp_path: Path, proxy: str) -> None:
    path = tmp_path / "device.toml"
    path.write_text(f"[web]\nproxy = '{proxy}'\n")
    assert settings.load(path).web.proxy == proxy

"""The page that asks who is who: over HTTP, and in a real browser."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from comfywear_export.dral.answers import AnswerFile
from comfywear_export.dral.asking import Asker
from comfywear_export.dral.asking_page import ask_on_page
from comfywear_export.dral.policies import nearest_now
from comfywear_export.dral.session import Session
from comfywear_export.dral.simulate import Asking
from waiting import until

COLOURS = ((60, 60, 190), (60, 60, 180), (170, 110, 40), (180, 115, 45), (70, 150, 70), (90, 90, 90))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def pictures(folder: Path) -> tuple[list[str], np.ndarray]:
    """Six figures in coloured clothes, two of them red and two blue."""
    names = []
    for number, colour in enumerate(COLOURS):
        image = np.full((320, 180, 3), 215, np.uint8)
        cv2.circle(image, (90, 55), 26, (150, 170, 200), -1)
        cv2.rectangle(image, (50, 85), (130, 190), colour, -1)
        cv2.rectangle(image, (58, 190), (122, 300), (80, 60, 50 + 20 * number), -1)
        names.append(f"door-{number}.jpg")
        cv2.imwrite(str(folder / names[-1]), image)
    return names, np.array(COLOURS, np.float64)


@pytest.fixture
def asker(tmp_path: Path) -> Iterator[Asker]:
    names, x = pictures(tmp_path)
    with AnswerFile(tmp_path / "answers.jsonl") as file:
        how = Asking(pool=3, most=2, k=2)
        yield Asker(Session(names, x, file.answers, how, nearest_now), file)


@pytest.fixture
def address(asker: Asker, tmp_path: Path) -> Iterator[str]:
    """What the command shows while it runs: the address with its token. The test must finish it."""
    urls: list[str] = []
    worker = threading.Thread(target=ask_on_page, args=(asker, tmp_path, 0, urls.append), daemon=True)
    worker.start()
    until(lambda: bool(urls))
    yield urls[0]
    worker.join(60)
    assert not worker.is_alive(), "Finish ends the command"


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    """A browser's part in it, not signed in; its requests say that they come from the page."""
    base = address.partition("/login")[0]
    with httpx.Client(base_url=base, headers={"Origin": base}, follow_redirects=True, timeout=60) as client:
        yield client
        client.get(address)
        assert client.post("/api/finish", json={}).json() == {"finished": True}


def test_answers_reach_the_file_and_the_next_question_comes_back(
    address: str, client: httpx.Client, asker: Asker
) -> None:
    assert client.get(address).url.path == "/"
    state = client.get("/api/question").json()
    assert state["answers"] == {"same": 0, "different": 0, "skipped": 0}
    first = state["question"]
    said = {"query": first["query"], "item": first["item"], "answer": "same"}
    following = client.post("/api/answer", json=said).json()
    assert following["answers"]["same"] == 1
    assert following["question"]["same"] == [first["item"]]
    again = client.post("/api/answer", json=said)
    assert (again.status_code, again.json()["text"]) == (
        409,
        "this question is not open any more: it was answered elsewhere",
    )
    assert client.post("/api/undo", json={}).json()["question"] == first
    picture = client.get(f"/picture/{first['item']}.jpg")
    assert picture.headers["content-type"] == "image/jpeg"
    assert cv2.imdecode(np.frombuffer(picture.content, np.uint8), cv2.IMREAD_COLOR).shape == (320, 180, 3)
    assert asker.said()["same"] == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff", 400),
        (b'{"query": 0, "item": 1}', 400),
        (b'{"query": 0, "item": 1, "answer": "perhaps"}', 400),
        (b'{"query": 0, "item": 1, "answer": "same", "more": 1}', 400),
        (b'{"query": 0, "item": 99, "answer": "same"}', 409),
        (b'{"query": -1, "item": 0, "answer": "same"}', 409),
        (b" " * 5000, 413),
    ],
)
def test_what_is_no_answer_is_refused_and_counts_nothing(
    address: str, client: httpx.Client, asker: Asker, body: bytes, status: int
) -> None:
    client.get(address)
    assert client.post("/api/answer", content=body).status_code == status
    assert asker.said() == {"same": 0, "different": 0, "skipped": 0}
    for path in (
        "/picture/99.jpg",
        "/picture/-1.jpg",
        "/picture/%2e%2e/answers.jsonl",
        "/static/%2e%2e/asking_page.py",
    ):
        assert client.get(path).status_code == 404


def test_nobody_answers_without_the_token_nor_from_another_site(
    address: str, client: httpx.Client, asker: Asker
) -> None:
    said = {"query": 0, "item": 1, "answer": "same"}
    assert client.post("/api/answer", json=said).status_code == 401
    for path in ("/api/question", "/picture/0.jpg"):
        assert client.get(path).status_code == 401
    assert client.get("/login?token=guessed-guessed").status_code == 403
    client.get(address)
    for origin in ("http://evil.example", "http://127.0.0.1:9000", "null"):
        answer = client.post("/api/answer", json=said, headers={"Origin": origin})
        assert answer.status_code == 403, origin
    assert client.post("/api/answer", json=said, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert asker.said()["same"] == 0


@pytest.fixture
def page(address: str) -> Iterator[Any]:
    """The page of a running command, in chromium; fails when its scripts do or its policy stopped something."""
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright (scripts/setup)")
    if CHROMIUM is None:
        pytest.skip("needs the browser chromium (Debian: apt install chromium)")
    problems: list[str] = []
    with api.sync_playwright() as playwright:
        arguments = ["--disable-gpu"] + (["--no-sandbox"] if os.geteuid() == 0 else [])
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        shown = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
        shown.set_default_timeout(60_000)
        shown.on("pageerror", lambda error: problems.append(str(error)))
        shown.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
        shown.goto(address)
        shown.wait_for_selector("#ask:not([hidden])")
        yield shown
        browser.close()
    assert problems == []


def test_a_person_answers_with_keys_takes_back_and_finishes(page: Any, asker: Asker, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    assert "door-0.jpg" in page.inner_text("#left-name")
    page.keyboard.press("y")
    page.wait_for_selector("#seen:not([hidden])")
    page.keyboard.press("u")
    page.wait_for_selector("#seen", state="hidden")
    page.keyboard.press("y")
    page.wait_for_selector("#seen:not([hidden])")
    serious = [
        each["id"] for each in Axe().run(page).response["violations"] if each["impact"] in ("serious", "critical")
    ]
    assert serious == []
    if folder := os.environ.get("COMFYWEAR_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/asking.png")
    before = asker.said()
    page.click("[data-answer='skipped']")

    def all_said() -> bool:
        page.keyboard.press("n")
        return asker.question() is None

    until(all_said)
    page.wait_for_selector("#end:not([hidden])")
    assert asker.said()["skipped"] == before["skipped"] + 1
    page.click("#end-finish")
    page.wait_for_selector("#bye:not([hidden])")

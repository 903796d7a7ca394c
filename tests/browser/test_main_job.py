"""The whole way, as a newcomer walks it: up, a check, traffic, ten decisions, exports, the log, the report."""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from datasets import load_dataset
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from tests.live import LiveApp
from webapp.local.process_table import PROJECT

pytestmark = pytest.mark.browser


@pytest.fixture
def fresh_app() -> Iterator[LiveApp]:
    """Run an app of this test's own: what it counts must be what it did."""
    with tempfile.TemporaryDirectory(prefix="countersign-main-job-") as place:
        app = LiveApp(Path(place) / "var")
        try:
            yield app.wait_ready()
        finally:
            app.stop()


def manage(app: LiveApp, *arguments: str) -> str:
    """Run a manage.py command against the app and return what it prints."""
    command = [sys.executable, "-W", "ignore", "manage.py", *arguments]
    done = subprocess.run(command, cwd=PROJECT, env=app.env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def sign_in(chromium: Browser, app: LiveApp, role: str) -> Page:
    page = chromium.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True).new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{app.url}/p/demo/review/")
    page.get_by_label("Username").fill(app.users[role]["username"])
    page.get_by_label("Password").fill(app.users[role]["password"])
    page.get_by_role("button", name="Sign in").click()
    return page


def test_from_the_first_check_to_the_report(fresh_app: LiveApp, chromium: Browser, tmp_path: Path) -> None:
    answer = paste_the_curl(fresh_app)
    assert answer["verdict"] in ("allow", "redact", "hold", "block")
    assert answer["unscanned"] == []

    # Nine of these are flagged, no two the same. The random sample may add some, or none: ten were not always there.
    manage(fresh_app, "traffic", "--count", "150")
    reviewed = decide_with_the_keyboard(sign_in(chromium, fresh_app, "reviewer"), 8)
    assert len(set(reviewed)) == 8

    page = sign_in(chromium, fresh_app, "lead")
    freeze(page)
    # Every second item was released, so that half of them are completions to learn from.
    for format, rows in {"huggingface": 8, "openai-chat-sft": 4}.items():
        assert load_archive(export_and_download(page, format, tmp_path), tmp_path / format) == rows

    verified = json.loads(manage(fresh_app, "audit", "verify", "--json"))
    assert verified["ok"] is True
    report = download_report(sign_in(chromium, fresh_app, "compliance"), tmp_path)
    text = "\n".join(page.extract_text() for page in PdfReader(report).pages)
    assert "Demo" in text
    figures = tmp_path / "report.json"
    today = dt.datetime.now(dt.UTC).date()
    period = ("--from", str(today - dt.timedelta(days=1)), "--to", str(today + dt.timedelta(days=1)))
    manage(fresh_app, "audit", "report", "--project", "demo", *period, "--format", "json", "--out", str(figures))
    assert json.loads(figures.read_text())["report"]["reconciliation"]["problems"] == []


def paste_the_curl(app: LiveApp) -> dict[str, object]:
    printed = app.output.read_text()
    found = re.search(r"curl .*?(?:[^\\]\n)", printed, flags=re.DOTALL)
    assert found is not None, printed
    done = subprocess.run(["sh", "-c", found.group(0)], capture_output=True, text=True, timeout=60, check=True)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def decide_with_the_keyboard(page: Page, count: int) -> list[str]:
    """Decide `count` items by keys alone and return their public ids."""
    page.get_by_role("button", name="Start reviewing").first.press("Enter")
    decided: list[str] = []
    for number in range(count):
        page.wait_for_url(re.compile(r"/items/rvw_"))
        current = page.url
        decided.append(current.rstrip("/").rsplit("/", 1)[-1])
        page.keyboard.press("ab"[number % 2])
        page.keyboard.press("Enter")
        expect(page).not_to_have_url(current)
    expect(page.locator("[data-saving]")).to_be_hidden()
    # A decision is data once it can not be taken back any more.
    expect(page.locator("[data-undo]")).to_be_hidden(timeout=30_000)
    return decided


def freeze(page: Page) -> None:
    page.get_by_role("link", name="Datasets").click()
    page.get_by_role("link", name="New dataset").first.click()
    page.get_by_label("Name", exact=True).fill("First week")
    page.get_by_role("button", name="Create dataset").click()
    page.get_by_role("button", name=re.compile("Freeze")).click()
    page.get_by_role("heading", name="8 rows").wait_for()


def export_and_download(page: Page, format: str, folder: Path) -> Path:
    row = page.locator(f"#export-{format}")
    row.get_by_role("button", name="Export").click()
    with page.expect_download(timeout=60_000) as download:
        row.get_by_role("link", name="Download").click(timeout=60_000)
    path = folder / f"{format}.zip"
    download.value.save_as(path)
    return path


def load_archive(archive: Path, folder: Path) -> int:
    """Unpack an export, load it as its user would, and return the number of rows in all splits."""
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
    (card,) = folder.rglob("README.md")
    splits = load_dataset(str(card.parent), cache_dir=str(folder / "cache"))
    return sum(split.num_rows for split in splits.values())


def download_report(page: Page, folder: Path) -> Path:
    page.goto(re.sub(r"/p/demo/.*", "/p/demo/compliance/", page.url))
    expect(page.get_by_role("heading", name="Compliance")).to_be_visible()
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="Download PDF").click()
    path = folder / "report.pdf"
    download.value.save_as(path)
    return path

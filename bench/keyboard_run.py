"""A reviewer who works with the keys alone through 200 mixed items in Chromium.

    python -m bench.keyboard_run

Starts an app of its own with the faked model, holds `--items` outputs (short and long, with and without personal data,
right to left, emoji) and plays a script of keys: release, block, redact, unsure and skip, and with them labels, dropped
findings, notes and edited texts. It measures from the key that submits to the first free moment after the next item was
painted, with `--think` seconds before each answer, and then in a second half with none, and compares what is stored
with the script. Raw figures go to bench/results/. Chromium is looked for as the browser tests do.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench.app import ROOT, App, own_app, use
from bench.check_latency import percentile
from bench.load import ask
from tests.browser.install_chromium import ADVICE, ARGUMENTS, find_chromium

POLICY = """
name: keyboard
deadline_ms: 60000
rules:
  - {id: personal-data, detector: pii, entities: {"*": redact}}
  - {id: all, detector: length, options: {max_characters: 1}, entities: {"*": hold}}
"""
#: From the key to the first free moment after the next item was painted.
CLOCK = """
(() => {
  const slot = () => document.querySelector(".stage")?.dataset.slot;
  let pressed = null;
  let from = null;
  window.waits = [];
  document.addEventListener("keydown", () => { pressed = performance.now(); from = slot(); }, true);
  new MutationObserver(() => {
    if (pressed === null || !slot() || slot() === from) return;
    const since = pressed;
    pressed = null;
    requestAnimationFrame(() => setTimeout(() => window.waits.push(performance.now() - since)));
  }).observe(document, { childList: true, subtree: true });
})();
"""
#: How often each way to answer comes up, of 20.
SCRIPT = {
    **{"release": 8.0, "block": 4.0, "redact": 3.0, "unsure": 1.0, "skip": 0.5},
    **{"label": 1.0, "drop": 1.0, "note": 1.0, "replace": 1.0},
}
NOTE, EDIT = "Quoted from the manual.", "Ask at the desk."


@dataclass
class Step:
    """What the script did with an item, and what it expects to find stored."""

    item: str
    way: str
    keys: int
    wait_ms: float | None = None


def outputs(count: int, dice: random.Random) -> list[str]:
    """Return mixed outputs; every one differs."""
    words = ("the", "parcel", "left", "our", "store", "and", "should", "reach", "you", "within", "five", "days")
    made = []
    for number in range(count):
        length = dice.choice((5, 20, 60, 200, 3000) if number % 50 == 0 else (5, 20, 60, 200))
        text = f"Order {number}: " + " ".join(dice.choice(words) for _ in range(length))
        if dice.random() < 0.5:
            text += f" Write to clerk{number}@example.com."
        if dice.random() < 0.1:
            text = f"הזמנה {number} 😀👩‍👩‍👧‍👦 שלום, כתבו אל desk{number}@example.com בבקשה"
        made.append(text)
    return made


def hold(app: App, texts: list[str]) -> None:
    """Have every text held by the policy of the run."""
    from policies.services import add_policy_version
    from webapp.accounts.models import Project

    add_policy_version(project=Project.objects.get(slug="demo"), document=POLICY)
    bodies = [json.dumps({"output": text, "policy": "keyboard", "deadline_ms": 60_000}).encode() for text in texts]
    answers = ask(f"{app.url}/v1/checks", app.api_key, bodies, clients=8, seconds=600, most=len(bodies))
    verdicts = {json.loads(answer.body).get("verdict") for answer in answers}
    if verdicts != {"hold"} or len(answers) != len(texts):
        raise SystemExit(f"expected {len(texts)} held outputs, got {len(answers)}: {verdicts}")


def sign_in(page: Page, app: App) -> None:
    person = json.loads((app.home / "demo.json").read_text())["users"]["reviewer"]
    page.goto(f"{app.url}/p/demo/review/")
    page.get_by_label("Username").fill(person["username"])
    page.get_by_label("Password").fill(person["password"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Start reviewing").first.press("Enter")


def keys_of(page: Page, way: str) -> list[str]:
    """Return the keys of a way to answer the item on screen; one that is not offered there becomes a release."""
    redacts = page.locator("[data-finding][data-start]").count() > 0
    ways = {
        "release": ["a", "a"],
        "block": ["b", "b"],
        "redact": ["r", "r"],
        "unsure": ["u", "u"],
        "skip": ["s", "1"],
        "label": ["1", "b", "b"],
        "drop": ["F2", "Space", "Escape", "a", "a"],
        "note": ["w", *NOTE, "Escape", "b", "b"],
        "replace": ["e", "Control+a", *EDIT, "Control+Enter"],
    }
    return ways["release" if way in ("redact", "drop") and not redacts else way]


def play(page: Page, script: list[str], think: float) -> list[Step]:
    """Press the keys of `script`, an item after the other, until nothing waits."""
    steps: list[Step] = []
    for way in script:
        page.wait_for_selector(".stage[data-slot]")
        slot = page.locator(".stage").get_attribute("data-slot")
        item = page.url.rstrip("/").rsplit("/", 1)[-1]
        keys = keys_of(page, way)
        # A person reads before they answer; meanwhile the page gets the item behind this one.
        page.wait_for_timeout(think * 1000)
        for key in keys:
            page.keyboard.press(key)
        changed = "slot => document.querySelector('.stage')?.dataset.slot !== slot"
        page.wait_for_function(changed, arg=slot)
        page.wait_for_function("() => window.waits?.length || !document.querySelector('#console')")
        waits: list[float] = page.evaluate("() => (window.waits ?? []).splice(0)")
        steps.append(Step(item, way, len(keys), waits[0] if waits else None))
        if not page.locator("#console").count():
            break
    return steps


def compare(steps: list[Step]) -> list[str]:
    """Return what is stored otherwise than the script meant."""
    from review.models import ReviewItem

    wrong = []
    for step in steps:
        item = ReviewItem.objects.get(id=uuid.UUID(step.item.removeprefix("rvw_")))
        found = _stored(item, step)
        if found:
            wrong.append(f"{step.item} {step.way}: {found}")
    return wrong


def _stored(item: Any, step: Step) -> str:
    if step.way == "skip":
        return "" if item.exclusions.filter(why="skipped").count() == 1 and not item.annotations.exists() else "no skip"
    answers = list(item.annotations.filter(counts=True))
    if len(answers) != 1:
        return f"{len(answers)} answers"
    (answer,) = answers
    places = item.checked.findings.exclude(start=None).exists()
    meant = {"label": "block", "note": "block", "drop": "release", "unsure": ""}.get(step.way, step.way)
    if meant == "redact" and not places:
        meant = "release"
    if answer.outcome != meant:
        return f"{answer.outcome!r} instead of {meant!r}"
    if step.way == "label" and True not in answer.labels.values():
        return "no label"
    if step.way == "note" and NOTE not in answer.rationale:
        return "no note"
    if step.way == "replace" and answer.correction.text != EDIT:
        return "another text"
    if step.way == "drop" and places and answer.finding_verdicts.filter(kept=False).count() != 1:
        return "nothing was dropped"
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--think", type=float, default=1.0, help="seconds before each answer of the first half")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "keyboard_run.json")
    options = parser.parse_args()
    program = find_chromium()
    if program is None:
        raise SystemExit(ADVICE)
    dice = random.Random(options.seed)
    script = dice.choices(list(SCRIPT), list(SCRIPT.values()), k=options.items)
    with own_app(COUNTERSIGN_GUARD_MODEL="fake") as app:
        use(str(app.home))
        hold(app, outputs(options.items, dice))
        halves = {}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.add_init_script(CLOCK)
            sign_in(page, app)
            start = time.perf_counter()
            for think, part in ((options.think, script[::2]), (0.0, script[1::2])):
                halves[think] = play(page, part, think)
            seconds = time.perf_counter() - start
            browser.close()
        steps = [step for half in halves.values() for step in half]
        wrong = compare(steps)
    for think, half in halves.items():
        waits = [step.wait_ms for step in half if step.wait_ms is not None]
        print(
            f"{len(half)} items, {think} s before each: next item after p50 {percentile(waits, 50):.0f},"
            f" p95 {percentile(waits, 95):.0f}, p99 {percentile(waits, 99):.0f} ms"
        )
    keys = [float(step.keys) for step in steps]
    print(
        f"{len(steps)} of {options.items} items in {seconds:.0f} s; keys an item: median {percentile(keys, 50):.0f},"
        f" p90 {percentile(keys, 90):.0f}; stored otherwise than the script: {len(wrong)}"
    )
    for line in wrong:
        print(f"  {line}")
    facts = {"machine": platform.platform(), "cores": os.cpu_count(), "items": options.items, "seed": options.seed}
    raw = {str(think): [asdict(step) for step in half] for think, half in halves.items()}
    options.out.write_text(json.dumps({**facts, "seconds": seconds, "wrong": wrong, "steps": raw}) + "\n")
    print(f"raw figures: {options.out}")


if __name__ == "__main__":
    main()

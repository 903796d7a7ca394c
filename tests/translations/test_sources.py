"""Nothing in a script, and nothing that Python says on pages, is said in English alone."""

from __future__ import annotations

import pytest

from tests.translations.bare_messages import bare_messages
from tests.translations.bare_scripts import bare_script_text
from tests.translations.extraction import ENGINE, ROOMS, ROOT

SCRIPTS = sorted((ROOT / "webapp" / "static" / "js").rglob("*.js"))


def test_no_script_has_text_that_can_not_be_translated() -> None:
    found = {path.name: list(bare_script_text(path.read_text())) for path in SCRIPTS}
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_no_page_says_what_can_not_be_translated() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): list(
            bare_messages(path.read_text(), form="forms" in path.stem, engine=room == ENGINE)
        )
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
    }
    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.parametrize(
    "source",
    [
        'announce("Not saved yet");',
        "button.textContent = `Try again in ${seconds} s`;",
        'showError(isLate ? gettext("Too late.") : "Not sent.");',
        'place.textContent = "Saved.";',
    ],
)
def test_text_of_a_script_that_nothing_translates_is_found(source: str) -> None:
    assert len(list(bare_script_text(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        'announce(fill(gettext("%(n)s words out"), { n }));',
        'ngettext("one item left", "many items left", count)',
        'pgettext("state", "still open")',
        'stage.find("[data-tab=text] button");  // Not saved yet',
        'fetch("/p/acme/review/", { method: "POST" });',
        "chip.className = `chip chip-${kind}`;",
        'if (event.key === "Escape") leave();',
    ],
)
def test_code_and_what_is_translated_are_not_taken_for_bare_text(source: str) -> None:
    assert list(bare_script_text(source)) == []


@pytest.mark.parametrize(
    "source",
    [
        'raise InvalidAnswer("Choose one first.")',
        'raise errors.InvalidAnswer(f"Choose {number} of them.")',
        'messages.success(request, f"{version} is stored.")',
        'forms.CharField(label="Short name")',
        'return Skip("no prompt")',
    ],
)
def test_a_message_that_nothing_translates_is_found(source: str) -> None:
    assert len(list(bare_messages(source, form=True))) == 1


@pytest.mark.parametrize(
    "source", ['raise ValueError(f"term {number} is empty")', 'Issue("", 1, say("split it"), "split it")']
)
def test_a_message_of_the_engine_that_nothing_translates_is_found(source: str) -> None:
    assert len(list(bare_messages(source, engine=True))) == 1


@pytest.mark.parametrize(
    "source",
    [
        'raise InvalidAnswer(_("Choose %(number)s of them.") % {"number": 2})',
        'log.info("nothing to do")',
        'raise Http404("No such item.")',
        'forms.CharField(label=_("Short name"))',
    ],
)
def test_messages_for_programs_and_translated_ones_are_not_taken_for_bare(source: str) -> None:
    assert list(bare_messages(source, form=True)) == []
    assert list(bare_messages('raise ValueError(say("term %(number)s is empty", number=2))', engine=True)) == []

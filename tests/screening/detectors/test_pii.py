"""PII: Presidio's findings, offline, on texts of any length and shape."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.detectors import pii
from screening.detectors.pii import ENTITIES, Pii, PiiOptions
from screening.detectors.unmasking import unmask
from screening.findings import Deadline, DeadlineExceeded

ITEMS = {
    "CREDIT_CARD": "4111 1111 1111 1111",
    "EMAIL_ADDRESS": "jane.roe@mail.acme.co.uk",
    "IBAN_CODE": "GB82 WEST 1234 5698 7654 32",
    "IP_ADDRESS": "10.20.30.40",
    "MAC_ADDRESS": "00:1B:44:11:3A:B7",
    "PHONE_NUMBER": "+44 20 7946 0958",
    "UK_NHS": "943 476 5919",
    "UK_NINO": "AB 12 34 56 C",
    "URL": "https://acme.io:8443/a?b=1",
    "US_ITIN": "912-70-1234",
    "US_SSN": "536-90-4399",
    "UUID": "123e4567-e89b-12d3-a456-426614174000",
    "DATE_TIME": "2024-02-29",
    "CRYPTO": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "MEDICAL_LICENSE": "BB1388568",
}


@pytest.fixture(scope="module")
def detector() -> Pii:
    return Pii(PiiOptions())


def found(detector: Pii, text: str) -> list[tuple[str, str]]:
    return [(hit.category, text[hit.start : hit.end]) for hit in detector.detect(text, Deadline())]


@pytest.mark.parametrize("entity", ITEMS)
@pytest.mark.parametrize("before", ["", "😀 \u202eשלום\u202c ", "a\u200bb é ", "\ud800 \0 "])
def test_entities_are_found_where_they_are(detector: Pii, entity: str, before: str) -> None:
    text = f"{before}it is {ITEMS[entity]} 😀."
    assert (entity, ITEMS[entity]) in found(detector, text)


@pytest.mark.parametrize(
    "text", ["4111 1111 1111 1112", "GB82 WEST 1234 5698 7654 33", "943 476 5918", "jane@acme.invalid"]
)
def test_a_wrong_checksum_is_none(detector: Pii, text: str) -> None:
    assert not {"CREDIT_CARD", "IBAN_CODE", "UK_NHS", "EMAIL_ADDRESS"} & {entity for entity, _ in found(detector, text)}


@pytest.mark.parametrize(
    ("entity", "spelled"),
    [
        ("CREDIT_CARD", "4111\u200b1111\u200b1111\u200b1111"),
        ("CREDIT_CARD", "4111\u00ad1111\u20601111\ufeff1111"),
        ("CREDIT_CARD", "".join(chr(0xFF10 + int(digit)) for digit in "4111111111111111")),
        ("CREDIT_CARD", "4111\u20131111\u20111111\u20101111"),
        ("CREDIT_CARD", "4111\u20141111\u20121111\u20151111"),
        ("CREDIT_CARD", "4111\u00a01111\u20071111\u30001111"),
        ("CREDIT_CARD", "4\ufe0f\u20e3111\u200d\u20131111-1111-1111"),
        ("US_SSN", "536\u201190\u20134399"),
        ("EMAIL_ADDRESS", "jane.\u200broe@mail.acme.io"),
        ("EMAIL_ADDRESS", "jane.roe\uff20mail.acme.io"),
        ("IBAN_CODE", "GB82\u00a0WEST 1234 5698 7654 32".replace("\u00a0", "\u200b ")),
    ],
)
def test_disguised_entities_are_found_where_they_are(detector: Pii, entity: str, spelled: str) -> None:
    text = f"😀 \u200bx\u200b it is {spelled}\u200b and no more"
    start = text.index(spelled)
    hits = [(hit.start, hit.end) for hit in detector.detect(text, Deadline()) if hit.category == entity]
    assert hits == [(start, start + len(spelled))]


def test_both_readings_of_a_text_give_an_entity_once(detector: Pii) -> None:
    assert found(detector, "a\u200bb jane@acme.io \uff11") == [("EMAIL_ADDRESS", "jane@acme.io")]


@pytest.mark.parametrize(
    "text",
    ["plain", "❤️ 👨\u200d👩\u200d👧 — so it is — 中文，好。", "caf\u00e9 d\u00a0: m² ºª", "\ufeffword", "\ud800"],
)
def test_texts_without_a_disguise_are_read_once(text: str) -> None:
    assert unmask(text) is None


@given(
    st.text(
        st.one_of(st.characters(), st.sampled_from("09aZ-\u200b\u2011\u2014\uff11\uff20\u3164\ufe0f ")), max_size=60
    )
)
def test_unmasked_places_lead_back_to_the_original(text: str) -> None:
    plain = unmask(text)
    for place in range(len(plain.text) if plain else 0):
        assert plain
        start, end = plain.span(place, place + 1)
        assert 0 <= start < end <= len(text)
        origin = text[start]
        assert (
            plain.text[place] in {origin, "-", " "}
            or unicodedata.normalize("NFKC", origin) != origin
            or origin.isdecimal()
        )


def test_words_before_a_number_tell_what_it_is(detector: Pii) -> None:
    assert found(detector, "The number 12345678 is odd.") == []
    assert found(detector, "My bank account is 12345678.") == [("US_BANK_NUMBER", "12345678")]


@pytest.mark.parametrize(
    "text", ["np.array(x)", "self.id = 3", "end of it.In the", "plt.show", "main.py", "jane@acme.io"]
)
def test_code_and_addresses_are_not_urls(detector: Pii, text: str) -> None:
    assert "URL" not in {entity for entity, _ in found(detector, text)}


@pytest.mark.parametrize("text", ["www.x.py", "bit.ly/2xYz", "acme.com", "bbc.co.uk", "http://a.b.com.pt/x"])
def test_urls_without_a_scheme_are(detector: Pii, text: str) -> None:
    assert found(detector, f"see {text} now") == [("URL", text)]


def test_options_choose_language_and_least_score(detector: Pii) -> None:
    polish = Pii(PiiOptions(language="pl"))
    assert ("PL_PESEL", "44051401359") in found(polish, "PESEL 44051401359")
    assert found(Pii(PiiOptions(min_score=0.9)), "call +44 20 7946 0958") == []


def test_the_entities_are_those_of_the_recognizers() -> None:
    assert set(ENTITIES) == set().union(*(pii._scanner(language).entities for language in ("en", "es", "it", "pl")))


def test_nothing_is_lost_in_a_long_text(detector: Pii) -> None:
    source = random.Random(7)
    filler = "plain words without any of it, and so on, for a while "
    text, expected = "", []
    while len(text) < 60_000:
        text += filler[: source.randint(0, len(filler))] + " "
        entity = source.choice(["EMAIL_ADDRESS", "IBAN_CODE", "UUID", "CREDIT_CARD"])
        expected.append((entity, len(text)))
        text += ITEMS[entity] + " "
    hits = {(hit.category, hit.start) for hit in detector.detect(text, Deadline())}
    assert hits >= set(expected)


def test_a_long_url_and_a_long_address_are_covered_from_end_to_end(detector: Pii) -> None:
    url = "https://acme.io/" + "a" * 20_000
    assert found(detector, f"x {url} y") == [("URL", url)]
    address = "a" * 9_000 + "@acme.io"
    assert found(detector, address) == [("EMAIL_ADDRESS", address)]


@pytest.mark.parametrize(
    "piece",
    [
        "a.a.",
        "a.com ",
        "1 2 ",
        "a@a.",
        "GB82 ",
        "::",
        "(1)",
        "+44 20 ",
        "3333 ",
        "x",
        "4\u200b",
        "\u3164",
        "\uff11\u2013",
    ],
)
def test_a_hostile_megabyte_ends_at_the_deadline(detector: Pii, piece: str) -> None:
    text = piece * (1_048_576 // len(piece))
    begun = time.monotonic()
    with contextlib.suppress(DeadlineExceeded):
        detector.detect(text, Deadline.after_ms(300))
    # Generous: what is done between two looks at the clock takes half a second at worst where nothing else runs.
    assert time.monotonic() - begun < 5


OFFLINE = """
import sys
def deny(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        raise RuntimeError(f"called out: {event} {arguments}")
sys.addaudithook(deny)
from screening.detectors.pii import Pii, PiiOptions
from screening.findings import Deadline
for language in ("en", "es"):
    hits = Pii(PiiOptions(language=language)).detect("mail jane@acme.co.uk or see www.acme.io", Deadline())
    print(*(hit.category for hit in hits))
"""


def test_nothing_is_fetched() -> None:
    done = subprocess.run([sys.executable, "-c", OFFLINE], capture_output=True, text=True, check=True)
    assert done.stdout == "EMAIL_ADDRESS URL\nEMAIL_ADDRESS URL\n"

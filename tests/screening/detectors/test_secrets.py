"""Secrets: leaks are found, examples are told apart. Everything secret-like is assembled here at run time."""

from __future__ import annotations

import random
import string
import time
import zlib

import pytest

from screening.detectors.secret_context import is_key_block
from screening.detectors.secret_patterns import ENTITIES, GENERIC, PATTERNS
from screening.detectors.secrets import Secrets, SecretsOptions, has_checksum
from screening.findings import Deadline, DeadlineExceeded, Hit

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
random_source = random.Random(20)


def rnd(length: int, alphabet: str = ALNUM) -> str:
    return "".join(random_source.choice(alphabet) for _ in range(length))


def pem(body: str, kind: str = "RSA ") -> str:
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n-----END {kind}PRIVATE KEY-----"


def checked(prefix: str) -> str:
    """Return a token that ends in its checksum, as GitHub and npm make them."""
    body, digits, check = rnd(30), string.digits + string.ascii_uppercase + string.ascii_lowercase, ""
    number = zlib.crc32(body.encode())
    while number:
        number, digit = divmod(number, 62)
        check = digits[digit] + check
    return f"{prefix}_{body}{check.rjust(6, '0')}"


LEAKS = {
    "AWS_ACCESS_KEY": "AKIA" + rnd(16, string.ascii_uppercase + "234567"),
    "AWS_SECRET_KEY": f"aws_secret_access_key = {rnd(40)}",
    "GITHUB_TOKEN": "ghp_" + rnd(36),
    "GITLAB_TOKEN": "glpat-" + rnd(20),
    "SLACK_TOKEN": "xoxb-" + "-".join([rnd(12, "2468013579"), rnd(12, "2468013579"), rnd(24)]),
    "SLACK_WEBHOOK": "https://hooks.slack.com/services/T" + rnd(8) + "/B" + rnd(8) + "/" + rnd(24),
    "STRIPE_KEY": "sk_live_" + rnd(24),
    "ANTHROPIC_KEY": "sk-ant-api03-" + rnd(93),
    "OPENAI_KEY": "sk-proj-" + rnd(48),
    "GOOGLE_API_KEY": "AIza" + rnd(35),
    "GOOGLE_OAUTH_SECRET": "GOCSPX-" + rnd(28),
    "GOOGLE_OAUTH_TOKEN": "ya29." + rnd(60),
    "TWILIO_KEY": "SK" + rnd(32, HEX),
    "SENDGRID_KEY": "SG." + rnd(22) + "." + rnd(43),
    "MAILGUN_KEY": "key-" + rnd(32, HEX),
    "MAILCHIMP_KEY": rnd(32, HEX) + "-us12",
    "NPM_TOKEN": "npm_" + rnd(36),
    "PYPI_TOKEN": "pypi-AgE" + rnd(60),
    "RUBYGEMS_KEY": "rubygems_" + rnd(48, HEX),
    "HUGGINGFACE_TOKEN": "hf_" + rnd(34, string.ascii_letters),
    "JWT": f"eyJ{rnd(20)}.eyJ{rnd(40)}.{rnd(43)}",
    "AZURE_STORAGE_KEY": "AccountName=x;AccountKey=" + rnd(86) + "==",
    "AZURE_SAS_TOKEN": "https://x.blob.core.windows.net/c?sv=2024&sp=r&sig=" + rnd(43) + "%3D",
    "AZURE_CLIENT_SECRET": rnd(3) + "8Q~" + rnd(34),
    "TELEGRAM_TOKEN": rnd(9, "2468013579") + ":AA" + rnd(33),
    "DISCORD_TOKEN": "M" + rnd(25) + "." + rnd(6) + "." + rnd(38),
    "DISCORD_WEBHOOK": "https://discord.com/api/webhooks/" + rnd(18, "2468013579") + "/" + rnd(68),
    "DIGITALOCEAN_TOKEN": "dop_v1_" + rnd(64, HEX),
    "SHOPIFY_TOKEN": "shpat_" + rnd(32, HEX),
    "SQUARE_TOKEN": "sq0atp-" + rnd(22),
    "DATABRICKS_TOKEN": "dapi" + rnd(32, HEX),
    "DOCKER_TOKEN": "dckr_pat_" + rnd(27),
    "GRAFANA_TOKEN": "glsa_" + rnd(32) + "_" + rnd(8, HEX),
    "HASHICORP_TOKEN": "hvs." + rnd(90),
    "LINEAR_KEY": "lin_api_" + rnd(40),
    "NEW_RELIC_KEY": "NRAK-" + rnd(27, string.ascii_uppercase + string.digits),
    "NOTION_TOKEN": "ntn_" + rnd(46),
    "POSTMAN_KEY": "PMAK-" + rnd(24, HEX) + "-" + rnd(34, HEX),
    "SENTRY_TOKEN": "sntrys_" + rnd(60),
    "GROQ_KEY": "gsk_" + rnd(52),
    "REPLICATE_TOKEN": "r8_" + rnd(37),
    "AGE_SECRET_KEY": "AGE-SECRET-KEY-1" + rnd(58, string.ascii_uppercase + string.digits),
    "PRIVATE_KEY": pem("\n".join(rnd(64) for _ in range(8))),
    "CONNECTION_STRING": f"postgres://app:{rnd(14)}@db7.acme.io:5432/main",
    "GENERIC_SECRET": f'api_secret: "{rnd(24)}"',
}

EXAMPLES = [
    "AKIA" + "IOSFODNN7" + "EXAMPLE",
    "ghp_" + "x" * 36,
    "sk-proj-" + "abcdefghijklmnop" * 3,
    "sk-" + "1234567890" * 4,
    "AIza" + "Sy" + "X" * 33,
    "hf_" + "abcdefgh" * 4 + "ij",
    pem("..."),
    pem("MIIEvQ...your key here...\n" + rnd(20)),
    "postgres://user:password@localhost:5432/db",
    "mysql://root:${DB_PASSWORD}@db.acme.io/main",
    "amqp://<user>:<password>@broker.acme.io",
    "password = os.environ['DB_PASSWORD']",
    'password: "your-password-here"',
    "api_key=YOUR_API_KEY",
    "api_key: ${API_KEY}",
    "api_key = '{{ api_key }}'",
    "token = getToken(session)",
    "secret: <your secret>",
    "password: ************",
    "The token: understanding is everything.",
    "token_url = 'https://login.acme.io/common/oauth2/token'",
    "client_secret = config.client_secret",
    "Authorization: Bearer YOUR_ACCESS_TOKEN",
    "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0" + "." + rnd(43),
    f"For example, a session looks like this: eyJ{rnd(20)}.eyJ{rnd(40)}.{rnd(43)}",
    f'Here is a dummy configuration:\napi_secret: "{rnd(24)}"',
    f"In the sample, postgres://app:{rnd(14)}@db7.acme.io:5432/main is read",
    pem("EXAMPLEKEY" + rnd(800)),
    pem(rnd(300) + "this-is-not-a-key placeholder" + rnd(300)),
    pem(rnd(60) + "..." + rnd(40)),
    pem("MIIEvQ" + "x" * 1_000 + rnd(400)),
    f"xoxb-{'1' * 12}-{'1' * 12}-{'a' * 24}",
]


def detect(text: str, min_score: float = 0.6) -> list[Hit]:
    return Secrets(SecretsOptions(min_score=min_score)).detect(text, Deadline())


def test_every_form_has_a_leak_here() -> None:
    assert set(LEAKS) == set(ENTITIES) == {pattern.entity for pattern in (*PATTERNS, GENERIC)}


@pytest.mark.parametrize("entity", LEAKS)
def test_a_leak_is_found_in_any_surroundings(entity: str) -> None:
    leak = LEAKS[entity]
    for text in (
        leak,
        f"Use this:\n{leak}\nand restart.",
        f"😀 \u202eשלום\u202c\u200b {leak}, then",
        f"\ud800 {leak} ",
    ):
        hits = detect(text)
        assert [hit.category for hit in hits] == [entity]
        assert text[hits[0].start : hits[0].end] in leak
        assert (hits[0].end or 0) - (hits[0].start or 0) >= 12


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_is_not_reported(text: str) -> None:
    assert detect(text) == []


def test_examples_are_reported_with_a_low_score_when_asked_for() -> None:
    announced = f'For example, api_secret: "{rnd(24)}"'
    assert [hit.score for hit in detect(EXAMPLES[0], 0.0)] == [0.1]
    assert [hit.score for hit in detect(announced, 0.0)] == [pytest.approx(0.4)]


BASE64 = ALNUM + "+/"
# What 1,600 letters of OpenSSH format begin with and end in.
OPENSSH = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAABFwAAAAdzc2gtcn", "AAAAAAAAAAAAAAAAAECAwQF"


def test_every_real_key_is_one_whatever_words_its_letters_happen_to_form() -> None:
    source = random.Random(2048)
    bodies = ["".join(source.choices(BASE64, k=1_588)) for _ in range(2_000)]
    assert [body for body in bodies if not is_key_block(pem(f"MIIE{body}"))] == []
    assert is_key_block(pem(OPENSSH[0] + bodies[0] + OPENSSH[1]))
    assert is_key_block(pem(bodies[0][:800] + "..." + bodies[0][800:]))


def test_a_key_on_one_line_of_json_is_found() -> None:
    text = '{"private_key": "' + pem("\\n".join(rnd(64, BASE64) for _ in range(24))).replace("\n", "\\n") + '"}'
    assert [hit.category for hit in detect(text)] == ["PRIVATE_KEY"]


VENDORS = sorted(set(LEAKS) - {"GENERIC_SECRET", "JWT", "CONNECTION_STRING"})


@pytest.mark.parametrize("entity", VENDORS)
@pytest.mark.parametrize(
    "announcement",
    ["The production key, in the usual format:", "For example, this is a sample:", "Substitute your own:"],
)
def test_words_nearby_do_not_hide_a_token_of_a_vendors_form(entity: str, announcement: str) -> None:
    hits = detect(f"{announcement} {LEAKS[entity]}")
    assert [hit.category for hit in hits] == [entity]
    assert hits[0].score >= 0.6


@pytest.mark.parametrize("entity", ["AWS_ACCESS_KEY", "GITHUB_TOKEN", "STRIPE_KEY", "OPENAI_KEY", "ANTHROPIC_KEY"])
@pytest.mark.parametrize("hidden", ["\u200b", "\u00ad", "\u2060\ufeff", "\ufe0f"])
def test_a_token_with_invisible_characters_in_it_is_covered_whole(entity: str, hidden: str) -> None:
    leak = LEAKS[entity]
    spelled = leak[:12] + hidden + leak[12:18] + hidden + leak[18:]
    text = f"😀 \u200bshe said {spelled}\u200b and left"
    (hit,) = detect(text)
    start = text.index(spelled)
    assert (hit.category, hit.start, hit.end) == (entity, start, start + len(spelled))


def test_other_forms_of_letters_and_hyphens_are_read_as_ascii() -> None:
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in LEAKS["GITHUB_TOKEN"])
    slack = LEAKS["SLACK_TOKEN"].replace("-", "\u2011")
    text = f"é {wide} or {slack}."
    starts = text.index(wide), text.index(slack)
    assert [(hit.category, hit.start, hit.end) for hit in detect(text)] == [
        ("GITHUB_TOKEN", starts[0], starts[0] + len(wide)),
        ("SLACK_TOKEN", starts[1], starts[1] + len(slack)),
    ]


def test_what_both_readings_find_is_reported_once_and_the_longer_place_wins() -> None:
    token, tail = "ghp_" + rnd(36), rnd(9)
    text = f"a\u200bb {token} c {token}\u200b{tail}"
    second = text.rindex(token)
    assert [(hit.start, hit.end) for hit in detect(text)] == [(4, 44), (second, len(text))]


def test_a_right_checksum_makes_a_leak_of_what_is_called_an_example() -> None:
    token = checked("ghp")
    assert has_checksum(token)
    assert has_checksum(checked("npm"))
    assert not has_checksum("ghp_" + "A" * 36)
    assert [hit.score for hit in detect(f"For example: {token}")] == [1.0]


def test_neighbours_are_all_found_and_places_are_taken_once() -> None:
    tokens = ["ghp_" + rnd(36) for _ in range(3)]
    assert len(detect(" ".join(tokens))) == 3
    assert [hit.category for hit in detect(f"GITHUB_TOKEN={tokens[0]}")] == ["GITHUB_TOKEN"]


def test_a_key_that_was_cut_off_is_covered_and_the_prose_after_it_is_not() -> None:
    lines = "\n".join(rnd(64) for _ in range(4))
    text = f"-----BEGIN PRIVATE KEY-----\n{lines}\nand that is all I remember"
    (hit,) = detect(text)
    assert text[hit.end :].strip() == "and that is all I remember"


@pytest.mark.parametrize(
    "piece",
    [
        'api_key="',
        "eyJ",
        "a://",
        "-----BEGIN PRIVATE KEY-----",
        "sk-",
        "M.",
        "server=;",
        "password=",
        "AccountKey=",
        "k\u200b=\u2011",
    ],
)
def test_hostile_repetition_ends(piece: str) -> None:
    detect(piece * (300_000 // len(piece)))


def test_hostile_repetition_inside_a_key_ends() -> None:
    for piece in ("\\", "\\n\\", "-", "A "):
        detect(f"-----BEGIN PRIVATE KEY-----{piece * 300_000}-----END PRIVATE KEY-----")


def test_the_deadline_holds() -> None:
    with pytest.raises(DeadlineExceeded):
        Secrets(SecretsOptions()).detect("ghp_", Deadline(time.time() - 1))

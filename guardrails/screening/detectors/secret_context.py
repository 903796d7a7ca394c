"""Tell a leaked secret from an example of one: by the value itself and by the words around it."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise

# Not a value at all but where one goes: ${VAR}, $VAR, {{ var }}, <token>, %(x)s, [REDACTED], os.environ[...], ...
_REFERENCE = re.compile(
    r"""^(?:
        https?://[^@]*$ | \$\{?[A-Za-z_][\w.\-:]*\}?.* | \{\{?.*\}?\}?$ | <.*>?$ | \[.*\]?$ | %\(?\w+\)?s?%?$ | \(.*
        | (?:os\.|process\.env|env\.|ENV\b|getenv|System\.|Deno\.|import\.meta|config[.\[(]|settings\.|self\.|this\.|
           secrets\.|vault|var\.|data\.|local\.|params\.|request\.|req\.|args\.|options?\.|user\.|credentials\.|ctx\.).*
        | .*[(\[]\s*$ | .*\(\)?.*\)$ | \*{3,}.* | \.{3,}.* | _{3,}.* | -{3,}$
    )""",
    re.X,
)

# Words inside a value that nobody's secret contains by chance.
_PLACEHOLDER = re.compile(
    r"example|sample|dummy|placeholder|changeme|change_me|change-me|replace|redacted|insert|your[_\-]?|"
    r"my[_\-]?(?:secret|pass|token|key|super)|foobar|foo_bar|lorem|notreal|not_real|fake|mock|todo|fixme|"
    r"secret_?here|key_?here|token_?here|here$|xxxx|yyyy|zzzz|0000000|1234567|abcdefg|qwerty|(?:test|demo)[_\-]|"
    r"[_\-](?:test|demo)|password|passw0rd|p@ssw|hunter2|letmein|super_?secret|some[_\-]|enter[_\-]|deadbeef|"
    r"IxMjM0NTY3ODkw|secretkey|secret_key|apikey|api_key|access_?token|mytoken|username|\.\.\.|…|\*\*\*",
    re.I,
)

# A source-code or prose value: identifiers, paths, calls, plain words joined.
_IDENTIFIER = re.compile(r"^[A-Za-z]+(?:[_.\-:/][A-Za-z]+)*[.,;:!?]*$|^[a-z]+(?:[A-Z][a-z]+)+[.,;:]?$")

_EXAMPLE_NEAR = re.compile(
    r"\b(?:examples?|e\.g\.|for instance|dummy|sample|placeholder|fake|fictional|fictitious|made[ \-]up|not a real|"
    r"isn't real|not real|hypothetical|illustrative|mock|replace (?:this|it|the|with)|your own|substitute|"
    r"looks like|would look like|format)\b",
    re.I,
)
_BEFORE, _AFTER = 120, 60

_HOST_OF_EXAMPLE = re.compile(
    r"@(?:[\w.\-]*\.)?(?:example(?:\.\w+)?|localhost|127\.0\.0\.1|host(?:name)?|server|ip|db|mydb|database|proxy)(?:[:/,]|$)",
    re.I,
)
_PASSWORD_OF_URL = re.compile(r"://[^:@/]*:([^@]*)@")
_WEAK_PASSWORD = re.compile(
    r"^(?:pass(?:word|wd)?\d*|pwd|secret|token|root|admin|postgres|mysql|user|guest|test|mypass\w*|x+|\*+|1234\w*|changeme)$",
    re.I,
)

# Words too long to occur by chance in the 1,600 random letters of a key, and one letter over and over. Keys in the
# format of OpenSSH have up to a dozen A in a row: lengths and padding.
_LONG_PLACEHOLDER = re.compile(
    r"example(?:key|private|rsa|only)|placeholder|changeme|redacted|yourprivate|your(?:rsa|ssh|secret)?keyhere|"
    r"privatekey|base64encoded|notareal|thisis(?:not|an|a)|loremipsum|dummykey|deadbeef|12345678|abcdefgh|"
    r"([B-Z0-9+/])\1{7,}|A{32,}",
    re.I,
)
_SHORT_BODY, _LEAST_BODY = 200, 48
_ARMOUR = re.compile(r"-----[A-Z0-9 ]+-----|(?<!\\)\\+[nr]|\s")
_BASE64 = re.compile(r"[A-Za-z0-9+/=]")

#: Scores of what is almost surely not a secret, and the factor for what an example is announced before.
EXAMPLE = 0.1
ANNOUNCED = 0.5
#: Words nearby do not bring a token of a vendor's form below this, the least score reported by default.
LEAST_OF_VENDOR = 0.6


def entropy(value: str) -> float:
    """Return the Shannon entropy of the characters of `value`, in bits a character."""
    counts = Counter(value)
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())


def is_reference(value: str) -> bool:
    """Return whether `value` names a place for a secret (a variable, a template, a call) and is none."""
    return _REFERENCE.match(value) is not None


def looks_made_up(value: str, least_entropy: float) -> bool:
    """Return whether `value` is a placeholder: by its words, by repetition, by sequence, by too little entropy."""
    if _PLACEHOLDER.search(value) or entropy(value) < least_entropy:
        return True
    return _longest_step(value) >= max(6, len(value) // 4)


def is_plain_words(value: str) -> bool:
    """Return whether `value` consists of words, as identifiers and prose do, without a digit or sign among them."""
    return _IDENTIFIER.match(value) is not None


def is_example_connection(url: str) -> bool:
    """Return whether the password of a connection string is a placeholder, or its host stands for any host."""
    password = _PASSWORD_OF_URL.search(url)
    value = password[1] if password else url
    if is_reference(value) or _WEAK_PASSWORD.match(value) or _PLACEHOLDER.search(value):
        return True
    return _HOST_OF_EXAMPLE.search(url) is not None and entropy(value) < 3.0


def is_key_block(block: str) -> bool:
    """Return whether a PEM block holds a key: enough of random letters, and no dots or words in their place.

    Short words are looked for in short bodies only: one real key in a hundred of 2,048 bits contains one by chance.
    """
    body = _ARMOUR.sub("", block)
    letters = len(_BASE64.findall(body))
    if letters < _LEAST_BODY or entropy(body) < 4.0 or _LONG_PLACEHOLDER.search(body):
        return False
    return letters >= _SHORT_BODY or not _PLACEHOLDER.search(body)


def announced_score(score: float, *, vendor: bool) -> float:
    """Return what is left of `score` beside words such as "for example".

    Of a value by a vendor's form, at least LEAST_OF_VENDOR: random letters behind a known prefix are no invention,
    and anybody can write "sample" beside a key.
    """
    return max(score * ANNOUNCED, min(score, LEAST_OF_VENDOR)) if vendor else score * ANNOUNCED


def announced_as_example(text: str, start: int, end: int) -> bool:
    """Return whether the words around `text[start:end]` speak of an example."""
    before = text[max(0, start - _BEFORE) : start]
    after = text[end : end + _AFTER].split("\n", 1)[0]
    return _EXAMPLE_NEAR.search(before) is not None or _EXAMPLE_NEAR.search(after) is not None


def _longest_step(value: str) -> int:
    """Return the length of the longest run like "aaaa", "1234" or "dcba"."""
    longest = run = 1
    previous: int | None = None
    for one, other in pairwise(value):
        step = ord(other) - ord(one)
        run = run + 1 if step == previous and step in {-1, 0, 1} else (2 if step in {-1, 0, 1} else 1)
        previous = step
        longest = max(longest, run)
    return longest

"""`length` and `language`: limits on the text as a whole."""

from __future__ import annotations

import difflib
import functools
from typing import TYPE_CHECKING, Self

from pydantic import Field, field_validator, model_validator

from screening.detectors.base import Detector, Options
from screening.detectors.linear_regex import encodable
from screening.findings import Deadline, Hit
from screening.sentences import say

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

TOO_LONG = "too_long"
TOO_SHORT = "too_short"
UNEXPECTED_LANGUAGE = "unexpected_language"


class LengthOptions(Options):
    """At least one limit. Characters are code points; words are what white space separates."""

    max_characters: int | None = Field(default=None, ge=1)
    min_characters: int | None = Field(default=None, ge=1)
    max_words: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _limits_make_sense(self) -> Self:
        if self.max_characters is None and self.min_characters is None and self.max_words is None:
            raise ValueError(say("set max_characters, min_characters or max_words"))
        if self.max_characters and self.min_characters and self.min_characters > self.max_characters:
            raise ValueError(say("min_characters is larger than max_characters"))
        return self


class Length(Detector):
    name = "length"
    labels = frozenset({TOO_LONG, TOO_SHORT})
    options_type = LengthOptions

    def __init__(self, options: LengthOptions) -> None:
        self.options = options

    def detect(self, text: str, deadline: Deadline) -> list[Hit]:
        """Return a hit for each limit that does not hold; the detail says the count and the limit."""
        limits, characters = self.options, len(text)
        hits = []
        if limits.max_characters is not None and characters > limits.max_characters:
            hits.append(Hit(TOO_LONG, 1.0, detail=f"{characters} characters, at most {limits.max_characters}"))
        if limits.max_words is not None and (words := len(text.split())) > limits.max_words:
            hits.append(Hit(TOO_LONG, 1.0, detail=f"{words} words, at most {limits.max_words}"))
        if limits.min_characters is not None and characters < limits.min_characters:
            hits.append(Hit(TOO_SHORT, 1.0, detail=f"{characters} characters, at least {limits.min_characters}"))
        return hits


# Not a language: figures, code, symbols.
_NO_LANGUAGE = "zxx"

_CODES = (
    "ace af am an ar ary arz as az ba bcl be bg bn br bs ca crh cs cy da de dz el en eo es et eu ext fa fi fo "
    "fr fuv fy ga gcf gcr gd gl gom grc gu gug guw ha hbo he hi hr ht hu hy id ig is it ja jv ka kab kik kk "
    "km kn ko ku ky la lb lg lij ln lo lt ltg lv mg mk ml mn mr ms mt my ne nl nn no nso oc om or pa pcm pl "
    "ps pt qu ro ru rw sa sdh se si sk sl sn so sq sr st sv sw ta te tg th tk tl tr tt ug uk ur uz uzs vec vi "
    "vo wa wuu xh yo yue zh zu"
)
#: The codes that py3langid tells apart (ISO 639, two letters where there are two); a test compares it with the model.
LANGUAGES = frozenset(_CODES.split())

# Characters read at the beginning, the middle and the end: time stays under 10 ms for texts of any length.
_SAMPLE = 4_000


class LanguageOptions(Options):
    """Which languages are expected. Texts shorter than `min_characters` letters are not judged."""

    allowed: tuple[str, ...] = Field(min_length=1)
    min_confidence: float = Field(default=0.8, ge=0.0, le=1.0)
    min_characters: int = Field(default=40, ge=1)

    @field_validator("allowed")
    @classmethod
    def _known(cls, allowed: tuple[str, ...]) -> tuple[str, ...]:
        for code in allowed:
            if code not in LANGUAGES:
                close = difflib.get_close_matches(code, sorted(LANGUAGES), n=1)
                if close:
                    raise ValueError(
                        say("unknown language %(code)s, did you mean %(known)s?", code=code, known=close[0])
                    )
                raise ValueError(say("unknown language %(code)s; use two-letter codes such as en, fr, ja", code=code))
        return allowed


class Language(Detector):
    name = "language"
    labels = frozenset({UNEXPECTED_LANGUAGE})
    version = "py3langid"
    options_type = LanguageOptions

    def __init__(self, options: LanguageOptions) -> None:
        self.options = options
        self._identifier = _identifier()

    def detect(self, text: str, deadline: Deadline) -> list[Hit]:
        """Return one hit when another language is more certain than `min_confidence`; the detail is its code."""
        deadline.check()
        options = self.options
        found = _classified(text, self._identifier, options.min_characters)
        if found is None or found[0] in options.allowed or found[1] < options.min_confidence:
            return []
        return [Hit(UNEXPECTED_LANGUAGE, found[1], detail=found[0])]


def language_of(text: str, *, min_characters: int = 40, min_confidence: float = 0.8) -> str:
    """Return the code of the language that `text` is most certainly in, of LANGUAGES; "" when none is certain."""
    found = _classified(text, _identifier(), min_characters)
    return found[0] if found and found[1] >= min_confidence else ""


def _classified(text: str, identifier: LanguageIdentifier, min_characters: int) -> tuple[str, float] | None:
    sample = _sample(text)
    if sum(character.isalpha() for character in sample) < min_characters:
        return None
    code, confidence = identifier.classify(sample)
    return None if code == _NO_LANGUAGE else (code, float(confidence))


@functools.cache
def _identifier() -> LanguageIdentifier:
    """Load the model once a process (1 s); it lies in the wheel."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def _sample(text: str) -> str:
    """Return the whole text when it is short, else three parts of it."""
    if len(text) <= 3 * _SAMPLE:
        return encodable(text)
    middle = (len(text) - _SAMPLE) // 2
    return encodable(f"{text[:_SAMPLE]} {text[middle : middle + _SAMPLE]} {text[-_SAMPLE:]}")

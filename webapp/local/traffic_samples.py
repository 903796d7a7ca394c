"""Invented interactions for `make traffic`, the same ones for the same seed."""

import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml

LETTERS_AND_DIGITS = string.ascii_letters + string.digits
LONG_PARAGRAPHS = 12
FOLLOW_UP_SHARE = 0.25


@dataclass(frozen=True)
class Sample:
    """One interaction; `body` is what POST /v1/checks takes."""

    family: str
    body: dict[str, Any]


def samples(count: int, seed: int) -> Iterator[Sample]:
    """Yield `count` interactions, drawn from the families of traffic_samples.yaml by their weights."""
    chance = random.Random(seed)  # noqa: S311 -- test data that can be repeated
    library = yaml.safe_load((files("webapp.local") / "traffic_samples.yaml").read_text(encoding="utf-8"))
    families, slots = library["families"], library["slots"]
    names = list(families)
    weights = [families[name]["weight"] for name in names]
    for number in range(count):
        name = chance.choices(names, weights)[0]
        filler = _Filler(chance, slots)
        yield Sample(name, _interaction(chance, families[name], filler, number))


def _interaction(chance: random.Random, family: dict[str, Any], filler: "_Filler", number: int) -> dict[str, Any]:
    turns, outputs = family["turns"], family["outputs"]
    messages = [{"role": "system", "content": "You are a friendly support assistant."}]
    if chance.random() < FOLLOW_UP_SHARE:
        messages += [
            {"role": "user", "content": filler.fill(chance.choice(turns))},
            {"role": "assistant", "content": "Let me have a look."},
        ]
    messages.append({"role": "user", "content": filler.fill(chance.choice(turns))})
    output = chance.choice(outputs)
    text = _long_answer(chance, filler) if output == "long" else filler.fill(output)
    return {"messages": messages, "output": text, "conversation_id": f"sample-{number:04}", "end_user": filler.order}


def _long_answer(chance: random.Random, filler: "_Filler") -> str:
    sentences = [
        "Returns are free within 30 days from {shop}.",
        "Bring the {product} back on any {day}, or hand it to {carrier}.",
        "A used {product} is worth {amount} euros less.",
        "In {city} the counter is open until {minutes} past six.",
        "Questions about {order} go to {email}.",
    ]
    paragraphs = [" ".join(chance.sample(sentences, k=4)) for _ in range(LONG_PARAGRAPHS)]
    return "\n\n".join(_Filler(chance, filler.slots).fill(paragraph) for paragraph in paragraphs)


class _Filler:
    """Fill the slots of one interaction; a slot has the same value wherever it appears in it."""

    def __init__(self, chance: random.Random, slots: dict[str, list[str]]) -> None:
        self.slots = slots
        self._chance = chance
        self.order = f"B-{chance.randrange(10_000, 99_999)}"
        self._values = {name: chance.choice(values) for name, values in slots.items()}
        self._values["order"] = self.order
        made: dict[str, Callable[[], str]] = {
            "email": self._email,
            "phone": self._phone,
            "card": self._card,
            "iban": self._iban,
            "ip": lambda: ".".join(str(chance.randrange(1, 255)) for _ in range(4)),
            "ssn": lambda: f"{chance.randrange(100, 665)}-{chance.randrange(10, 99)}-{chance.randrange(1000, 9999)}",
            "token": lambda: chance.choice(("ghp_", "sk_live_", "glpat-")) + self._random(LETTERS_AND_DIGITS, 36),
            "aws_key": lambda: "AKIA" + self._random(string.ascii_uppercase + "234567", 16),
            "database_url": lambda: f"postgres://shop:{self._random(LETTERS_AND_DIGITS, 18)}@10.0.3.7/orders",
            "private_key": self._private_key,
        }
        self._values.update({name: make() for name, make in made.items()})

    def fill(self, text: str) -> str:
        for name, value in self._values.items():
            text = text.replace("{" + name + "}", value)
        return text

    def _random(self, alphabet: str, length: int) -> str:
        return "".join(self._chance.choices(alphabet, k=length))

    def _email(self) -> str:
        first, last = self._values["name"].lower().split()
        return f"{first}.{last}@example.{self._chance.choice(('com', 'org', 'net'))}"

    def _phone(self) -> str:
        number = self._random(string.digits, 2)
        # Ranges that regulators keep free for fiction.
        return self._chance.choice((f"+1 415 555 01{number}", f"+44 20 7946 09{number}", f"(212) 555-01{number}"))

    def _card(self) -> str:
        digits = [4, *(self._chance.randrange(10) for _ in range(14))]
        doubled = [digit * 2 if place % 2 == 0 else digit for place, digit in enumerate(digits)]
        check = -sum(value - 9 if value > 9 else value for value in doubled) % 10
        text = "".join(map(str, [*digits, check]))
        return " ".join(text[start : start + 4] for start in range(0, 16, 4))

    def _iban(self) -> str:
        account = self._random(string.digits, 18)
        # ISO 13616: letters count from A = 10, the two check digits make the whole 1 modulo 97; DE = 1314.
        check = 98 - int(f"{account}131400") % 97
        return f"DE{check:02}{account}"

    def _private_key(self) -> str:
        lines = "\n".join(self._random(LETTERS_AND_DIGITS + "+/", 64) for _ in range(4))
        begin, end = ("-----" + word + " RSA PRIVATE" + " KEY-----" for word in ("BEGIN", "END"))
        return f"{begin}\n{lines}\n{end}"

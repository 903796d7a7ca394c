"""Values for texts with personal data: people, places, organisations, addresses and dates of many countries."""

from __future__ import annotations

import functools
import random
from calendar import day_name
from datetime import datetime, timedelta

from faker import Faker

from feedback.training.dates import DATES, FOREIGN_DATES, STAMPS, TIMES

#: Languages that write the family name first, and those that write both as one word.
FAMILY_FIRST = frozenset({"ja_JP", "zh_CN", "ko_KR", "hu_HU", "vi_VN"})
_NO_SPACE = frozenset({"ja_JP", "zh_CN", "ko_KR"})
#: Some of the countries that have IBANs; elsewhere Faker makes other numbers, or a warning.
_IBAN_LOCALES = ("en_GB", "de_DE", "fr_FR", "es_ES", "pl_PL", "no_NO", "uk_UA")


class Values:
    """Draws values of one text. Most of them come from one country, as in real letters."""

    def __init__(self, chance: random.Random, words: dict[str, list[str]]) -> None:
        """`words`: Faker's locales, lists of real places and organisations, and the parts of made-up ones."""
        self._chance, self._words = chance, words
        self._home = chance.choice(words["address_locales"])

    def _fake(self, *, names: bool = False) -> tuple[str, Faker]:
        locales = self._words["address_locales"] + (self._words["name_locales"] if names else [])
        home = self._home if self._chance.random() < 0.6 else self._chance.choice(locales)
        fake = faker(home)
        fake.seed_instance(self._chance.getrandbits(32))
        return home, fake

    def person(self) -> str:
        """Return a name in one of the forms in which people write them, without a title."""
        locale, fake = self._fake(names=True)
        first, last = fake.first_name(), fake.last_name()
        if locale in FAMILY_FIRST and self._chance.random() < 0.7:
            return f"{last}{'' if locale in _NO_SPACE else ' '}{first}"
        form = self._chance.random()
        if form < 0.08:
            return f"{first} {self._chance.choice('ABCDEFGHJKLMNPRSTW')}. {last}"
        if form < 0.14:
            return f"{first[0]}. {last}"
        if form < 0.18:
            return f"{last}, {first}"
        if form < 0.22:
            return f"{first} {last}".upper()
        if form < 0.25:
            return f"{first} {fake.first_name()} {last}"
        return f"{first} {last}"

    def first_name(self) -> str:
        return str(self._fake(names=True)[1].first_name())

    def last_name(self) -> str:
        return str(self._fake(names=True)[1].last_name())

    def location(self) -> str:
        """Return a city, region, country, river or landmark: mostly one that exists."""
        if self._chance.random() < 0.25:
            return str(self._fake()[1].city())
        return self._chance.choice(self._words["places"])

    def organization(self) -> str:
        draw = self._chance.random()
        if draw < 0.3:
            return str(self._fake()[1].company())
        if draw < 0.6:
            return self._chance.choice(self._words["organisations"])
        pattern = self._chance.choice(self._words["organisation_forms"])
        return pattern.format(
            word=self._chance.choice(self._words["organisation_words"]),
            place=self._chance.choice(self._words["places"]),
            name=self.last_name(),
        )

    def address(self) -> str:
        """Return a postal address on one line, sometimes with its country."""
        return self.address_lines().replace("\n", self._chance.choice((", ", ", ", ", ", " ")))

    def address_lines(self) -> str:
        """Return a postal address as it stands on an envelope."""
        _, fake = self._fake()
        lines = "\n".join(line.strip(" ,") for line in str(fake.address()).splitlines() if line.strip(" ,"))
        draw = self._chance.random()
        if draw < 0.12:
            return f"{lines}\n{self._chance.choice(self._words['countries'])}"
        if draw < 0.2:
            return self._chance.choice(self._words["boxes"]).format(
                number=self._chance.randint(2, 9_999), place=self._chance.choice(self._words["places"])
            )
        return lines

    def street(self) -> str:
        """Return a street with a house number."""
        return str(self._fake()[1].street_address()).replace("\n", ", ")

    def postal(self) -> str:
        """Return a postal address in one of many orders, on one line or several, with or without flat and country."""
        if self._chance.random() < 0.4:
            return self.address_lines() if self._chance.random() < 0.5 else self.address()
        mark = self._chance.choice((", ", " ", "\n", "\n "))
        number = self.house_number() if self._chance.random() < 0.5 else ""
        parts = [f"{number} {self.street()}".strip()]
        if self._chance.random() < 0.4:
            parts.append(self.flat())
        parts.append(self.city())
        if self._chance.random() < 0.6:
            parts.append(self.country())
        text = mark.join(parts)
        return f"{text} {self.postcode()}" if self._chance.random() < 0.6 else text

    def house_number(self) -> str:
        return str(self._chance.randint(1, 10 ** self._chance.randint(1, 5)))

    def flat(self) -> str:
        return (
            f"{self._chance.choice(('Apt.', 'Apt', 'Suite', 'Suite', 'Unit', 'Flat'))} {self._chance.randint(1, 999)}"
        )

    def postcode(self) -> str:
        return str(self._fake()[1].postcode())

    def city(self) -> str:
        return str(self._fake()[1].city())

    def country(self) -> str:
        return self._chance.choice(self._words["countries"])

    def date(self) -> str:
        """Return a day or a month of a year, in one of two dozen forms, some in other languages."""
        d = self._moment()
        if self._chance.random() < 0.05:
            language, form = self._chance.choice(FOREIGN_DATES)
            return form.format(d.day, self._words[f"months_{language}"][d.month - 1], d.year)
        return self._chance.choice(DATES)(d)

    def time(self) -> str:
        return self._chance.choice(TIMES)(self._moment())

    def date_time(self) -> str:
        """Return a date, a date with a time, a weekday or a year."""
        draw = self._chance.random()
        if draw < 0.55:
            return self.date()
        if draw < 0.65:
            return self.weekday()
        if draw < 0.75:
            return self.year()
        return self.stamp()

    def year(self) -> str:
        return str(self._chance.randint(1900, 2035))

    def weekday(self) -> str:
        return self._chance.choice(day_name)

    def stamp(self) -> str:
        """Return a date with its time, as logs and messages have it."""
        return self._chance.choice(STAMPS)(self._moment())

    def email(self) -> str:
        return str(self._fake()[1].ascii_safe_email())

    def phone(self) -> str:
        return "".join(str(self._chance.randrange(10)) if c == "#" else c for c in self._chance.choice(PHONES))

    def age(self) -> str:
        return str(self._chance.randint(18, 99))

    def url(self) -> str:
        return str(self._fake()[1].url())

    def ip_address(self) -> str:
        fake = self._fake()[1]
        return str(fake.ipv4() if self._chance.random() < 0.7 else fake.ipv6())

    def credit_card(self) -> str:
        return str(self._fake()[1].credit_card_number())

    def iban(self) -> str:
        fake = faker(self._chance.choice(_IBAN_LOCALES))
        fake.seed_instance(self._chance.getrandbits(32))
        return str(fake.iban())

    def ssn(self) -> str:
        return "-".join(str(self._chance.randint(10 ** (n - 1), 10**n - 1)) for n in (3, 2, 4))

    def licence_number(self) -> str:
        return str(self._fake()[1].bothify("?#######"))

    def _moment(self) -> datetime:
        return datetime(1935, 1, 1) + timedelta(minutes=self._chance.randrange(100 * 365 * 24 * 60))


PHONES = ("+## ### ### ####", "(###) ###-####", "0## ## ## ## ##", "### ####", "+##-##-########", "0###-######")


@functools.cache
def faker(locale: str) -> Faker:
    """Return Faker for a locale; it draws the same in every process that seeds it the same."""
    made = Faker(locale)
    for provider in made.get_providers():
        if isinstance(getattr(provider, "cities", None), list):
            # Italian cities come from a set: their order is that of the process's hashes.
            provider.cities = sorted(provider.cities)
    return made

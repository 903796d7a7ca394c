"""Texts of every kind for comparing readers of personal data: seeded, made up, in many scripts, some hostile."""

# ruff: noqa: E501, SIM905 - tables of pieces are easier to read wide
from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator

_PROSE = (
    "my phone number is|call me on|the account at the bank|social security|passport no.|driver license|tax id|date of"
    "|born on|visa card|IBAN|nhs number|wallet|the mac address of the ip|see the website|email|uuid|PESEL|DNI|NIE"
    "|codice fiscale|patente di guida|partita iva|documento|número|and then|be that as it may|In the end.It was|e.g."
    "|№|naïve café|größe|привет мир|телефон|שלום|مرحبا|नमस्ते|こんにちは世界|电话号码是|สวัสดี|😀|👨\u200d👩\u200d👧|\u200b|\n\n|\t"
    "|ſ|K|İstanbul ı|ﬁ|\u00a0|\u3000|\ufeff|\x00|\x1c|\ud800|_|-|--|()|{}|::|std::vector<int>::size|np.array(x)|self.id"
    "|a = b[0].c|// TODO|<b>|http://|www.|@|%20|+|(|)|,|;|:|.|…"
).split("|")
_JOINTS = (
    "",
    "",
    " ",
    " ",
    " ",
    " ",
    ", ",
    ". ",
    ": ",
    "\n",
    "-",
    "/",
    "x",
    "é",
    "я",
    "_",
    "@",
    ".",
    "\u200b",
    "😀",
    "#",
)
_DIGITS = ("٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "０１２３４５６７８９", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")
_HOSTILE = (
    "a.a.", "1.1.", "1 ", "11", "1-", "::", "1:", "a@", "a@a.", "(1)", "+1 ", "/1", "1/1/", "ab:", "-", ".", "a-a.", "x1",
    "0", "00 ", "1a", "GB82", "http://a.", "a.com", "2012-01-02 08", "é.", "①", "1x", "1 ext ", "٣", "\u2013" + "1",
)  # fmt: skip
_ALPHABET = string.ascii_letters + string.digits


class Texts:
    """An endless source of texts; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._items: tuple[Callable[[], str], ...] = (
            self._card, self._iban, self._phone, self._phone, self._date, self._time, self._address, self._address6,
            self._mac, self._uuid, self._wallet, self._licence, self._nino, self._ssn, self._email, self._url,
            self._italian, self._spanish, self._digits, self._digits, self._digits,
        )  # fmt: skip

    def __iter__(self) -> Iterator[str]:
        while True:
            yield self.text()

    def text(self) -> str:
        source = self._random
        if source.random() < 0.1:
            return self._hostile()
        parts = []
        for _ in range(source.choice((1, 2, 3, 5, 8, 12, 20))):
            parts.append(self._part())
            parts.append(source.choice(_JOINTS))
        return "".join(parts)

    def _part(self) -> str:
        source = self._random
        kind = source.random()
        if kind < 0.45:
            return source.choice(_PROSE)
        item = source.choice(self._items)()
        if kind < 0.65:
            item = self._spoilt(item)
        if kind < 0.5:
            item = item.translate(str.maketrans(string.digits, source.choice(_DIGITS)))
        return item

    def _spoilt(self, item: str) -> str:
        """Change, drop or add a character."""
        source = self._random
        place = source.randrange(len(item) + 1)
        new = source.choice(
            ["", " ", "-", ".", "é", "ſ", "K", "İ", "_", source.choice(_ALPHABET), chr(source.randrange(0x110000))]
        )
        return item[:place] + new + item[place + source.randrange(2) :]

    def _hostile(self) -> str:
        source = self._random
        pieces = [source.choice(_HOSTILE) * source.choice((1, 3, 8, 30)) for _ in range(source.randint(1, 4))]
        return "".join(piece + source.choice(_JOINTS) for piece in pieces) + self._part()

    def _shape(self, shape: str) -> str:
        """Fill in a shape: `9` is a digit, `A` and `a` are letters, `h` is a hexadecimal digit, `*` is any of these."""
        source = self._random
        sets = {
            "9": string.digits,
            "A": string.ascii_uppercase,
            "a": string.ascii_lowercase,
            "h": "0123456789abcdefABCDEF",
            "*": _ALPHABET,
        }
        return "".join(source.choice(sets[each]) if each in sets else each for each in shape)

    def _one_of(self, *shapes: str) -> str:
        return self._shape(self._random.choice(shapes))

    def _digits(self) -> str:
        return self._shape("9" * self._random.choice((1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 20, 30)))

    def _card(self) -> str:
        number = self._one_of("4", "51", "34", "6011", "35", "1")
        number += self._shape("9" * (self._random.choice((14, 15, 15, 15)) - len(number)))
        total = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(reversed(number)))
        number += str(-total % 10)
        joint = self._random.choice(("", " ", "-"))
        return joint.join(number[place : place + 4] for place in range(0, len(number), 4))

    def _iban(self) -> str:
        country, body = self._random.choice(
            (("GB", self._shape("AAAA99999999999999")), ("DE", self._shape("9" * 18)), ("NO", self._shape("9" * 11)))
        )
        check = 98 - int("".join(str(int(each, 36)) for each in body + country + "00")) % 97
        number = f"{country}{check:02d}{body}"
        joint = self._random.choice(("", " ", "-"))
        number = joint.join(number[place : place + 4] for place in range(0, len(number), 4))
        return number.lower() if self._random.random() < 0.2 else number

    def _phone(self) -> str:
        return self._one_of(
            "+44 20 7946 0999", "020 7946 0999", "(0)20 79460999", "+1 (212) 555-0999", "212-555-2399", "2125552399",
            "(425) 882-9099/9", "+49 30 901899", "030 90189999", "01640", "164 9", "+33 1 42 68 53 99", "01 42 68 53 99",
            "+972-3-623-9999", "098765 43299", "+55 11 96123-4599", "0031 20 794 9999", "011 44 20 79460999", "00 33 142685399",
            "+49-30-901899 ext. 99", "212 555 2399 x999", "tel:+1-201-555-0199", "1-800-FLOWERS", "+9 999 999 999", "+99 99 99",
            "+", "+378 0549 999999", "12 ext 999999", "9#99999", "1xxx9", "+１２０２５５５０１９９", "７９９",
        )  # fmt: skip

    def _date(self) -> str:
        return self._one_of(
            "2024-02-29", "1999-12-31T23:59:59.9999Z", "2024-01-05T10:11+02:00", "12/31/1999", "31/12/99", "1999/1/9",
            "31-12-1999", "5.6.2020", "05-JAN-2021", "Feb-99", "9-mar", "9/2020", "9/99", "99/99/9999",
        )  # fmt: skip

    def _time(self) -> str:
        return self._one_of("2012-01-02 08:00", "20120102 08", "12:30:45", "12(3): 211-227 (2003)", "199-999 (9999)")

    def _address(self) -> str:
        octets = ".".join(str(self._random.randrange(300)) for _ in range(self._random.choice((3, 4, 4, 4, 5))))
        return octets + self._random.choice(("", "", "/24", "/99", ".", ":80"))

    def _address6(self) -> str:
        return self._one_of(
            "hhhh:hhhh:hhhh:hhhh:hhhh:hhhh:hhhh:hhhh", "hhhh::hhh", "::1", "::", "fe80::hh%eth0/64", "::ffff:10.99.9.9",
            "h:h:h::10.9.9.9/96", "hhhh:hh", "::/0", "hh:" * 9,
        )  # fmt: skip

    def _mac(self) -> str:
        return self._one_of("hh:hh:hh:hh:hh:hh", "hh-hh-hh-hh-hh-hh", "hhhh.hhhh.hhhh", "hh:hh-hh:hh:hh:hh")

    def _uuid(self) -> str:
        return self._one_of("hhhhhhhh-hhhh-4hhh-8hhh-hhhhhhhhhhhh", "hhhhhhhhhhhh4hhh8hhhhhhhhhhhhhhh")

    def _wallet(self) -> str:
        known = ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq")
        return self._random.choice(
            (*known, self._shape("1" + "*" * 33), self._shape("bc1" + "*" * self._random.randrange(70)))
        )

    def _licence(self) -> str:
        return self._one_of(
            "A9999", "A9999999", "AA999999A", "999AA9999", "A9A9A", "99AAA99999", "9999999A", "99999999", "A99999999",
            "BB1388568", "b91388568", "912-70-1999", "912 70 1999", "91270-1999", "912701999", "943 476 5919", "9434765919",
        )  # fmt: skip

    def _nino(self) -> str:
        return self._one_of("AA 99 99 99 A", "AB123456C", "ab 12 34 56 c", "GB999999A")

    def _ssn(self) -> str:
        return self._one_of("999-99-9999", "99999-9999", "999-999999", "999.99.9999", "999 99 9999", "078-05-1120")

    def _email(self) -> str:
        return self._one_of(
            "jane.roe@mail.acme.co.uk", "a@b.io", "j+t_9@a-b--c.com", "é@acme.io", "x@y@z.com", ".a.b.@acme.com", "a@acme",
            "$!@acme.io", "jane@münchen.de", "ſ@K.com", "a..b@c.d.e.org", "a@b.invalid", "ａ@acme.io.", "a@b-.com", "=a'b@c.net",
        )  # fmt: skip

    def _url(self) -> str:
        return self._one_of(
            "https://acme.io:8443/a?b=1", "http://a.b.com.pt/x(y)", "www.x.py", "bit.ly/2xYz", "acme.com", "bbc.co.uk", "x.com.zz",
            "acme.comé", "acme.comſ", "acme.ſo", "HTTPS://ACME.COM/É/ü", "ftp://a.io", "main.py", "acme.com_x", "a.io٣", "é.io",
            "acme.info/\u00a0x", "a.de\x1cb", "x.Kim", "http://" + "a." * 200 + "com/z", "a" * 260 + ".com", "mailto.me", "-.io",
        )  # fmt: skip

    def _italian(self) -> str:
        return self._one_of(
            "RSSMRA85T10A562S",
            "AA9999999A",
            "U1BCD99999A",
            "AA 9999999",
            "9999999AA",
            "AA99999AA",
            "12345670017",
            "1 2 3_4 5 6 7 8 9 0 1",
        )

    def _spanish(self) -> str:
        return self._one_of(
            "12345678Z", "1234567L", "X1234567L", "Z9999999A", "9999999-A", "44051401359", "99919999999"
        )

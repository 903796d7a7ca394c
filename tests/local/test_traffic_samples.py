import re

from webapp.local.traffic_samples import samples


def test_the_same_seed_gives_the_same_interactions() -> None:
    assert list(samples(50, 7)) == list(samples(50, 7))
    assert list(samples(50, 7)) != list(samples(50, 8))


def test_every_slot_is_filled() -> None:
    texts = [str(sample.body) for sample in samples(3000, 1)]
    assert [text for text in texts if re.search(r"\{[a-z_]+\}", text)] == []


def test_a_few_hundred_show_every_family_and_differ() -> None:
    drawn = list(samples(300, 1))
    assert len({sample.family for sample in drawn}) == 19
    assert len({sample.body["output"] for sample in drawn}) > 200


def test_made_up_card_and_account_numbers_have_right_check_digits() -> None:
    text = "\n".join(sample.body["output"] for sample in samples(3000, 2))
    cards = re.findall(r"\b4\d{3}(?: \d{4}){3}\b", text)
    ibans = re.findall(r"\bDE\d{20}\b", text)
    assert cards
    assert ibans
    for card in cards:
        digits = [int(digit) for digit in card.replace(" ", "")]
        total = sum(digits[1::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[::2])
        assert total % 10 == 0
    for iban in ibans:
        assert int(f"{iban[4:]}1314{iban[2:4]}") % 97 == 1

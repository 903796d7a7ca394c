"""Linear layers in eight bits: near to fp32 inside of their ranges, and outside as at their ends."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from workers.runtimes import int8
from workers.runtimes.int8 import Int8FeedForward, Int8Linear, Int8Weights
from workers.runtimes.processor import adds_in_32_bits, computes_bf16
from workers.runtimes.ranges import Range, from_bytes, to_bytes

ROWS, WIDTH, OUTPUTS = 64, 48, 32


def range_of(x: torch.Tensor) -> Range:
    return Range(x.amin(dim=0), x.amax(dim=0), x.mean(dim=0))


def inputs() -> torch.Tensor:
    """Return rows whose columns lie in different places: one wide, one narrow and far off, one that never moves."""
    torch.manual_seed(7)
    x = torch.randn(ROWS, WIDTH)
    x[:, 0] *= 8.0
    x[:, 1] = 5.0 + 0.01 * x[:, 1]
    x[:, 2] = -3.0
    return x


def layer() -> nn.Linear:
    torch.manual_seed(8)
    return nn.Linear(WIDTH, OUTPUTS)


def away(got: torch.Tensor, expected: torch.Tensor) -> float:
    return float((got.float() - expected).abs().max() / expected.std())


@pytest.mark.parametrize(("weight_steps", "near"), [(127, 0.06)] * adds_in_32_bits() + [(63, 0.12)])
@pytest.mark.parametrize("out", [torch.float32] + [torch.bfloat16] * computes_bf16(torch.device("cpu")))
@torch.inference_mode()
def test_rows_within_the_range_are_near_to_fp32(
    monkeypatch: pytest.MonkeyPatch, weight_steps: int, near: float, out: torch.dtype
) -> None:
    monkeypatch.setattr(int8, "_WEIGHT_STEPS", weight_steps)
    x, linear = inputs(), layer()
    got = Int8Linear.over(linear.weight, linear.bias, range_of(x), out=out)(x)
    assert got.dtype == out
    assert 0 < away(got, linear(x)) < near


@torch.inference_mode()
def test_a_row_is_the_same_alone_and_among_others() -> None:
    x, linear = inputs(), layer()
    own = Int8Linear.over(linear.weight, linear.bias, range_of(x))
    assert torch.equal(own(x[5:6]), own(x)[5:6])


@torch.inference_mode()
def test_what_lies_outside_of_the_range_counts_as_its_end() -> None:
    x, linear = inputs(), layer()
    known = range_of(x)
    own = Int8Linear.over(linear.weight, linear.bias, known)
    for end, factor in ((known.high, 1e6), (known.low, -1e6)):
        beyond = torch.where(torch.arange(WIDTH) == 3, end.abs() * factor, x[0])
        within = torch.where(torch.arange(WIDTH) == 3, end, x[0])
        assert torch.equal(own(beyond[None]), own(within[None]))


@torch.inference_mode()
def test_what_rounding_weights_does_to_the_mean_is_taken_back() -> None:
    x, linear = inputs(), layer()
    own = Int8Linear.over(linear.weight, linear.bias, range_of(x))
    blind = Int8Linear.over(linear.weight, linear.bias, range_of(x)._replace(mean=torch.zeros(WIDTH)))
    mean = linear(x).mean(dim=0)
    assert (own(x).mean(dim=0) - mean).abs().mean() < (blind(x).mean(dim=0) - mean).abs().mean()


@torch.inference_mode()
def test_a_few_wide_inner_inputs_do_not_coarsen_all_others() -> None:
    torch.manual_seed(9)
    up, down, x = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH), torch.randn(ROWS, WIDTH)
    up.weight[:4] *= 30.0
    inner = nn.functional.gelu(up(x))
    whole = Int8FeedForward(up, down, range_of(x), range_of(inner))
    assert whole.size < float(inner.amax()) / 255 / 4, "the step of the others is a quarter of what it would be"
    assert 0 < away(whole(x), down(inner)) < 0.05


@pytest.mark.parametrize("bias", [True, False])
@torch.inference_mode()
def test_few_rows_are_multiplied_by_weights_of_eight_bits(bias: bool) -> None:
    torch.manual_seed(11)
    x, linear = torch.randn(ROWS, 512), nn.Linear(512, 64, bias=bias)
    own = Int8Weights(linear)
    found = own(x)
    assert own.weight.dtype == torch.int8
    assert 0 < away(found, linear(x)) < 0.02
    for row in range(3):
        assert torch.equal(own(x[row : row + 1])[0], found[row]), "the same alone and with others"


@torch.inference_mode()
def test_one_large_weight_does_not_coarsen_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(int8, "_WEIGHT_STEPS", 7)
    torch.manual_seed(10)
    x, linear = torch.randn(ROWS, WIDTH), nn.Linear(WIDTH, OUTPUTS)
    linear.weight[:, 0] *= 2.0
    found = Int8Linear.over(linear.weight, linear.bias, range_of(x))(x)
    monkeypatch.setattr(int8, "_SHARES", torch.ones(1))
    coarse = Int8Linear.over(linear.weight, linear.bias, range_of(x))(x)
    assert (found - linear(x)).square().mean() < (coarse - linear(x)).square().mean()


def test_ranges_are_read_as_they_were_written() -> None:
    ranges = {"one": range_of(inputs()), "other": range_of(torch.randn(5, 3))}
    again = from_bytes(to_bytes(ranges), {"one": WIDTH, "other": 3})
    assert again.keys() == ranges.keys()
    for name, own in ranges.items():
        assert all(torch.equal(*pair) for pair in zip(again[name], own, strict=True))
    assert to_bytes(again) == to_bytes(ranges)


@pytest.mark.parametrize("inputs", [{}, {"one": 3, "more": 3}, {"one": 4}, {"other": 3}])
def test_ranges_of_other_layers_are_refused(inputs: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="other layers"):
        from_bytes(to_bytes({"one": range_of(torch.randn(5, 3))}), inputs)


def test_ranges_without_an_end_are_refused() -> None:
    endless = range_of(torch.randn(5, 3))._replace(high=torch.full((3,), float("inf")))
    with pytest.raises(ValueError, match="no end"):
        from_bytes(to_bytes({"one": endless}), {"one": 3})

"""Attention in bf16 by products of its own: near to fp32, the same alone and in any batch, numbers whatever comes."""

from __future__ import annotations

import random

import pytest
import torch

from workers.runtimes.attention import LOG2_E, AttentionByRuns, AttentionInBf16

HEADS, WIDTH = 12, 32
SIZES = [3, 1, 16, 17, 40, 40, 40, 255, 256, 2, 41]


def by_runs(together: torch.Tensor, sizes: list[int]) -> torch.Tensor:
    own = AttentionByRuns()
    found: torch.Tensor = own(together, own.layout(sizes, idle=False))
    return found


def in_bf16(together: torch.Tensor, sizes: list[int], idle: int = 0) -> torch.Tensor:
    own = AttentionInBf16(HEADS)
    found: torch.Tensor = own(together, own.layout([*sizes, idle] if idle else sizes, idle=idle > 0))
    return found


def tokens(count: int, scale: float = 1.0) -> torch.Tensor:
    torch.manual_seed(count)
    return scale * torch.randn(count, 3, HEADS, WIDTH)


def prepared(together: torch.Tensor) -> torch.Tensor:
    """Scale queries as the runtime has it in their weights."""
    out = together.clone()
    out[:, 0] *= LOG2_E * WIDTH**-0.5
    return out


def expected(together: torch.Tensor, sizes: list[int]) -> torch.Tensor:
    out = together.clone()
    out[:, 0] *= WIDTH**-0.5
    return by_runs(out, sizes)


@pytest.mark.parametrize("sizes", [SIZES, sorted(SIZES), [16] * 40, [1]])
def test_it_is_near_to_attention_in_fp32(sizes: list[int]) -> None:
    together = tokens(sum(sizes))
    found = in_bf16(prepared(together), sizes)
    torch.testing.assert_close(found, expected(together, sizes), atol=0.03, rtol=0.03)


def test_a_window_attends_to_itself_alone() -> None:
    together = prepared(tokens(sum(SIZES)))
    found = in_bf16(together, SIZES)
    start = 0
    for size in SIZES:
        alone = in_bf16(together[start : start + size], [size])
        torch.testing.assert_close(found[start : start + size], alone, atol=0.01, rtol=0.01)
        start += size


def test_idle_tokens_change_nothing_and_get_numbers() -> None:
    together = prepared(tokens(sum(SIZES)))
    behind = torch.cat([together, torch.full((5, *together.shape[1:]), float("nan"))])
    found = in_bf16(behind, SIZES, idle=5)
    assert torch.equal(found[:-5], in_bf16(together, SIZES))
    assert torch.isfinite(found[-5:]).all()


def test_idle_tokens_get_zeros_where_neighbours_of_one_size_go_together() -> None:
    together = prepared(tokens(sum(SIZES)))
    behind = torch.cat([together, torch.full((5, *together.shape[1:]), float("nan"))])
    found = by_runs(behind, SIZES)
    assert torch.equal(found[:-5], by_runs(together, SIZES))
    assert bool((found[-5:] == 0.0).all())


@pytest.mark.parametrize("scale", [30.0, 1e4])
def test_large_scores_give_numbers(scale: float) -> None:
    together = tokens(sum(SIZES), scale)
    found = in_bf16(prepared(together), SIZES)
    assert torch.isfinite(found).all()
    assert float(found.abs().max()) <= 1.05 * float(together[:, 2].abs().max()), (
        "a mean of values is no larger than they"
    )


@pytest.mark.parametrize("scale", [1.0, 8.0, 30.0])
def test_scores_that_powers_in_bf16_do_not_hold_count_as_they_should(scale: float) -> None:
    # Of whole numbers and a width of 4: scores that bf16 holds.
    together = torch.zeros(80, 3, HEADS, WIDTH)
    torch.manual_seed(3)
    together[:, :2, :, :4] = torch.randint(-3, 4, (80, 2, HEADS, 4)).float()
    together[:, 0] *= scale
    together[:, 2] = torch.randn(80, HEADS, WIDTH)
    query, key, value = together.double().transpose(0, 2).unbind(1)
    weights = torch.softmax((query @ key.transpose(1, 2)) / LOG2_E, dim=2)
    torch.testing.assert_close(in_bf16(together, [80]).transpose(0, 1), (weights @ value).float(), atol=0.02, rtol=0.02)


def test_a_window_whose_scores_are_large_leaves_its_neighbour_as_it_is() -> None:
    sizes = [40, 40]  # one product
    together = prepared(tokens(80))
    alone = in_bf16(together, sizes)[40:]
    together[:40] *= 30.0
    torch.testing.assert_close(in_bf16(together, sizes)[40:], alone, atol=0.01, rtol=0.01)


def test_the_shapes_of_its_products_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes: set[tuple[int, ...]] = set()
    product = torch.bmm

    def noted(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        shapes.add((*one.shape, other.shape[-1]))
        return product(one, other)

    monkeypatch.setattr(torch, "bmm", noted)
    chance = random.Random(0)
    for _ in range(150):
        size = chance.randint(2, 256)
        sizes = sorted(chance.randint(max(2, size - 20), size) for _ in range(1_024 // size))
        in_bf16(torch.zeros(sum(sizes), 3, HEADS, WIDTH), sizes)
    # oneDNN keeps a kernel of 0.6 MB for each.
    assert len(shapes) <= 100

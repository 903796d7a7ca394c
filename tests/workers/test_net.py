"""The module that runtimes run says what its parts say apart: upstream's encoder, and the heads as trained."""

from __future__ import annotations

import pytest
import torch

from workers.model import DEFAULT_FOLDER
from workers.runtimes.bert import padded_attention
from workers.runtimes.encoder import Encoder, encoder_net
from workers.runtimes.heads import load_heads, pack_items, word_items
from workers.runtimes.net import GuardNet, PooledHeads, WordWeights, padded
from workers.runtimes.pooling import padded_pooling, pooled

TEXTS = [
    "",
    "a",
    "You are a worthless idiot, you idiot.",
    "the the the the",
    "Long and dull. " * 60,
    "\U0001f600 x\ud800",
]

#: The model whose heads add word weights.
FIRST = DEFAULT_FOLDER.parent / "minilm-heads-1"


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(device="cpu")


@torch.inference_mode()
def test_the_net_equals_upstreams_encoder_and_the_heads_that_were_trained(encoder: Encoder) -> None:
    config, heads = load_heads(FIRST)
    net = GuardNet(encoder_net(), PooledHeads(heads, config.layers), WordWeights(heads))
    windows = encoder.tokenizer.windows(TEXTS, size=config.window, overlap=config.overlap)
    for positions, states, mask in encoder.hidden_states(windows):
        rows = [windows[i].ids for i in positions]
        input_ids, _ = padded(rows)
        own = net.encoder(input_ids, torch.arange(input_ids.shape[1]), padded_attention(mask))
        for got, expected in zip(own, states, strict=True):
            kept = mask.bool()
            torch.testing.assert_close(got[kept], expected[kept], atol=1e-4, rtol=1e-4)
        vectors = torch.cat(pooled(states, config.layers, padded_pooling(mask)), dim=1)
        expected = heads(vectors, *pack_items([word_items(ids) for ids in rows]))
        torch.testing.assert_close(net(input_ids, mask).logits, expected, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_a_window_is_read_the_same_alone_and_among_others(encoder: Encoder) -> None:
    config, heads = load_heads(FIRST)
    net = GuardNet(encoder_net(), PooledHeads(heads, config.layers), WordWeights(heads))
    windows = encoder.tokenizer.windows(TEXTS, size=config.window, overlap=config.overlap)
    together = net(*padded([window.ids for window in windows])).logits
    for row, window in zip(together, windows, strict=True):
        alone = net(*padded([window.ids])).logits[0]
        torch.testing.assert_close(row, alone, atol=1e-5, rtol=1e-4)

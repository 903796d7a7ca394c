"""The encoder with LoRA adapters, and all heads, as one module to train."""

from __future__ import annotations

from typing import NamedTuple

import torch
from peft import LoraConfig, PeftModel
from torch import nn

from feedback.training.joint.recipe import JointRecipe
from workers.runtimes.bert import Attend, padded_attention
from workers.runtimes.encoder import WIDTH, encoder_net
from workers.runtimes.joint import LAST, JointHeads
from workers.runtimes.pooling import padded_pooling, pooled

#: Every matrix of a layer.
TARGETS = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]


class Trained(NamedTuple):
    """As `Outputs`, with every head."""

    logits: torch.Tensor
    tokens: torch.Tensor
    embedding: torch.Tensor


class JointNet(nn.Module):
    """One encoder pass for all heads. Only adapters and heads have gradients, and only heads have dropout."""

    def __init__(self, recipe: JointRecipe) -> None:
        super().__init__()
        config = LoraConfig(
            r=recipe.rank,
            lora_alpha=round(recipe.scaling * recipe.rank),
            target_modules=TARGETS,
            layers_to_transform=list(range(recipe.first_layer, 6)),
            layers_pattern="layer",
        )
        self.encoder = PeftModel(encoder_net(), config)  # type: ignore[arg-type]  # any module does
        self.heads = JointHeads(
            layers=recipe.layers, hidden=recipe.hidden, token_hidden=recipe.token_hidden, dropout=recipe.dropout
        )

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Trained:
        states = self.states(input_ids, attention_mask)
        out = self.heads(states, pooled(states, self.heads.pooled, padded_pooling(attention_mask)))
        return Trained(out.logits, out.tokens, out.embedding)

    def states(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> list[torch.Tensor]:
        """Return the states of layers 0 to 6, each [rows, tokens, 384]."""
        positions = torch.arange(input_ids.shape[1], device=input_ids.device)
        attend = padded_attention(attention_mask)
        if input_ids.device.type == "cpu":
            attend = _in_fp32(attend)
        found: list[torch.Tensor] = self.encoder(input_ids, positions, attend)
        return found

    @torch.no_grad()
    def frozen_states(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> list[torch.Tensor]:
        """Return the states of the encoder as upstream made it."""
        with self.encoder.disable_adapter():
            return self.states(input_ids, attention_mask)

    def frozen_embedding(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return upstream's sentence embedding [rows, 384], of length 1."""
        states = self.frozen_states(input_ids, attention_mask)
        return nn.functional.normalize(padded_pooling(attention_mask)(states[LAST])[:, :WIDTH], dim=-1)

    def trained(self) -> dict[str, torch.Tensor]:
        """Return what training changes, by name: adapters, heads, and the heads' standardisation."""
        changed = {name for name, p in self.named_parameters() if p.requires_grad}
        return {k: v for k, v in self.state_dict().items() if k in changed or k.startswith("heads.")}

    def restore(self, trained: dict[str, torch.Tensor]) -> None:
        """Put back what `trained` returned."""
        report = self.load_state_dict(trained, strict=False)
        if report.unexpected_keys or set(self.trained()) - set(trained):
            raise ValueError("the checkpoint is of another network")


def _in_fp32(attend: Attend) -> Attend:
    """Attend without autocast: on a CPU the backward pass of attention in bf16 takes six times as long."""

    def attended(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", enabled=False):
            return attend(query.float(), key.float(), value.float())

    return attended

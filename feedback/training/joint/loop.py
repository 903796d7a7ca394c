"""The training loop. Same rows, recipe, seed, device, threads, torch and code: same result, interrupted or not.

To the byte on a CPU; CUDA adds up in an order of its own.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from feedback.training.joint.batches import plan
from feedback.training.joint.checkpoints import Checkpoint, read_checkpoint, save_checkpoint
from feedback.training.joint.losses import balance_of, category_loss, embedding_loss, token_loss
from feedback.training.joint.net import JointNet
from feedback.training.joint.recipe import JointRecipe
from feedback.training.joint.rows import Rows
from feedback.training.joint.tensors import Batch, make_batch, text_maximum
from workers.runtimes.pooling import padded_pooling, pooled
from workers.runtimes.processor import computes_bf16

#: All but cuDNN's, which is planned anew for each shape of a batch, of which there are hundreds.
ATTENTION = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
#: Texts from which the moments of pooled states are taken.
SAMPLE = 2_000

#: Called after each batch with (batches done, batches in all, loss).
Progress = Callable[[int, int, float], object]
#: Called with (batches done, batches in all) when a run goes on from a checkpoint, which may be after the last batch.
Resumed = Callable[[int, int], object]


def train(
    rows: Rows,
    *,
    recipe: JointRecipe,
    seed: int,
    device: torch.device,
    path: Path,
    progress: Progress,
    resumed: Resumed = lambda _done, _total: None,
) -> JointNet:
    """Return a trained net on `device`, in eval mode. Goes on from the checkpoint at `path` (checkpoint_path)."""
    torch.manual_seed(seed)
    net = JointNet(recipe).to(device)
    windows = np.array([len(own) for own in rows.windows])
    batches = plan(rows.lengths(), windows, budget=recipe.budget, epochs=recipe.epochs, seed=seed)
    optimiser = _optimiser(net, recipe)
    found = read_checkpoint(path)
    if found is None:
        _standardise(net, rows, recipe, seed, device)
    else:
        resumed(found.step, len(batches))
        net.restore(found.trained)
        optimiser.load_state_dict(found.optimiser)
    balance = balance_of(rows.targets, recipe.max_balance).to(device)
    net.train()
    for step in range(found.step if found else 0, len(batches)):
        # The seed of a batch depends on its number alone: no generator's state needs keeping.
        torch.manual_seed(seed * 1_000_003 + step)
        for group in optimiser.param_groups:
            group["lr"] = group["highest"] * rate_at(step, len(batches), recipe.warm_up)
        loss = _loss(net, make_batch(rows, batches[step], device), balance, recipe, step)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), recipe.clip)
        optimiser.step()
        done = step + 1
        if done % recipe.save_every == 0 or done == len(batches):
            save_checkpoint(path, Checkpoint(done, net.trained(), optimiser.state_dict()))
        progress(done, len(batches), float(loss.detach()))
    return net.eval()


def checkpoint_path(folder: Path, rows: Rows, recipe: JointRecipe, seed: int, device: torch.device) -> Path:
    """Return where this work keeps its checkpoint: one of anything else that changes the result is never taken up."""
    computed = f"{device.type}:{computes_bf16(device)}:{torch.get_num_threads()}:{torch.__version__}"
    work = f"{rows.key()}:{recipe}:{seed}:{computed}:{_code()}"
    return folder / f"{hashlib.sha256(work.encode()).hexdigest()[:16]}.checkpoint"


def _code() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def rate_at(step: int, total: int, warm_up: float) -> float:
    """Return the share of the highest rate: up in a straight line, then down along a cosine."""
    first = max(1, round(total * warm_up))
    if step < first:
        return (step + 1) / first
    return 0.5 * (1 + math.cos(math.pi * (step - first) / max(1, total - first)))


def _optimiser(net: JointNet, recipe: JointRecipe) -> torch.optim.Optimizer:
    adapters = [p for p in net.encoder.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(
        [
            {"params": adapters, "lr": recipe.rate, "weight_decay": 0.0},
            {"params": list(net.heads.parameters()), "lr": recipe.head_rate, "weight_decay": recipe.decay},
        ]
    )
    for group in optimiser.param_groups:
        group["highest"] = group["lr"]
    return optimiser


def _standardise(net: JointNet, rows: Rows, recipe: JointRecipe, seed: int, device: torch.device) -> None:
    """Give the category head the moments of the frozen encoder's states on a sample."""
    net.eval()
    sample = np.random.default_rng(seed).permutation(len(rows))[:SAMPLE]
    windows = np.array([len(rows.windows[i]) for i in sample])
    vectors = []
    for which in plan(rows.lengths()[sample], windows, budget=recipe.budget, epochs=1, seed=seed):
        batch = make_batch(rows, sample[which], device)
        states = net.frozen_states(batch.ids, batch.mask)
        vectors.append(torch.cat(pooled(states, recipe.layers, padded_pooling(batch.mask)), dim=1))
    moments = torch.cat(vectors)
    net.heads.mean.copy_(moments.mean(dim=0))
    net.heads.inverse_std.copy_(1.0 / moments.std(dim=0).clamp_min(1e-3))


def _loss(net: JointNet, batch: Batch, balance: torch.Tensor, recipe: JointRecipe, step: int) -> torch.Tensor:
    halves = torch.autocast(batch.ids.device.type, dtype=torch.bfloat16, enabled=computes_bf16(batch.ids.device))
    with halves, sdpa_kernel(ATTENTION):
        out = net(batch.ids, batch.mask)
    loss = torch.zeros((), device=batch.ids.device)
    labelled = (batch.weight > 0).any(dim=1) | batch.some
    if labelled.any():
        logits = text_maximum(out.logits.float(), batch.owner, len(batch.weight))[labelled]
        loss = loss + category_loss(
            logits, batch.value[labelled], batch.weight[labelled], batch.some[labelled], balance, recipe.some_weight
        ) * (labelled.sum() / len(labelled))
    if batch.allowed.any():
        loss = loss + recipe.token_weight * token_loss(out.tokens.flatten(0, 1), batch.allowed.flatten())
    if step % recipe.embedding_every == 0:
        frozen = net.frozen_embedding(batch.ids, batch.mask)
        loss = loss + recipe.embedding_weight * embedding_loss(out.embedding, frozen)
    return loss

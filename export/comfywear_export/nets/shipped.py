"""Reads an exported model back into the network that learns: where no checkpoint is left, training goes on from it.

In the file the batch norms are folded into the convolutions. Here each is taken apart again so that the network says
the same, and its statistics are those of the pictures that it is about to learn from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from comfywear.errors import UsageError
from comfywear_export.nets.attributes import AttributeNet
from comfywear_export.nets.detector import DetectorNet

__all__ = ["mix_with_exported", "read_exported", "settle_norms"]

Net = DetectorNet | AttributeNet


def read_exported(net: Net, path: Path) -> None:
    """Take over the weights of `detector.fp16.onnx` or `attributes.fp16.onnx` (or `.fp32.onnx`), layer by layer.

    Raises:
        UsageError: There is no such file, or it is no exported model of this kind.
    """
    weights = _weights(path)
    what = "detector" if isinstance(net, DetectorNet) else "attribute model"
    taken = 0
    modules = dict(net.named_modules())
    with torch.no_grad():
        for name, module in modules.items():
            if not isinstance(module, nn.Conv2d | nn.Linear):
                continue
            weight, bias = weights.get(f"net.{name}.weight"), weights.get(f"net.{name}.bias")
            if weight is None or tuple(weight.shape) != tuple(module.weight.shape):
                raise UsageError(f"{path}: no exported {what}: it has no weights that fit {name}")
            module.weight.copy_(weight)
            taken += 1
            norm = _norm_after(modules, name)
            if norm is not None:
                # The convolution's bias was folded in: the norm does nothing but add it.
                _only_add(norm, torch.zeros_like(norm.bias) if bias is None else bias)
            elif module.bias is not None and bias is not None:
                module.bias.copy_(bias)
            else:
                raise UsageError(f"{path}: no exported {what}: {name} has no bias")
        for name, own in net.named_parameters(recurse=False):
            if (value := weights.get(f"net.{name}")) is None or value.shape != own.shape:
                raise UsageError(f"{path}: no exported {what}: it has no weights that fit {name}")
            own.copy_(value)
    if not taken:
        raise UsageError(f"{path}: no exported {what}")


@torch.no_grad()
def settle_norms(net: Net, maps: Iterable[torch.Tensor]) -> None:
    """Give the batch norms the statistics of real pictures without changing what the network says.

    With the statistics that `read_exported` leaves, the first step in training mode would say something else entirely.
    The frozen part stays as it is: it is never in training mode.

    Args:
        net: Fresh from `read_exported`.
        maps: Of the frozen part, some batches.
    """
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    sums: dict[nn.BatchNorm2d, list[torch.Tensor]] = {norm: [] for norm in norms}

    def note(norm: nn.BatchNorm2d, inputs: tuple[torch.Tensor], _: torch.Tensor) -> None:
        x = inputs[0].double()
        sums[norm].append(torch.stack([x.mean((0, 2, 3)), x.square().mean((0, 2, 3))]))

    hooks = [norm.register_forward_hook(partial(note)) for norm in norms]
    training = net.training
    net.eval()
    for fine in maps:
        net.read(net.trunk.rest(fine.contiguous(memory_format=torch.channels_last)))
    net.train(training)
    for hook in hooks:
        hook.remove()
    for norm in norms:
        if not sums[norm]:
            continue  # in the frozen part, which made the maps
        mean, square = torch.stack(sums[norm]).mean(0)
        variance = (square - mean.square()).clamp(min=1e-6)
        before = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        shift = norm.bias.double() - before * norm.running_mean.double()
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_(before * torch.sqrt(variance + norm.eps))
        norm.bias.copy_(shift + before * mean)


@torch.no_grad()
def mix_with_exported(net: Net, path: Path, share: float) -> None:
    """Move the weights of `net` back towards those of the exported model that it began from.

    Between what was learnt before and what was learnt on top there is often something that does better on both
    (Wortsman et al. 2022). The norms of both are folded into the convolutions first, since their statistics differ.

    Args:
        net: Learnt on; changed in place.
        path: The exported model.
        share: Of what was learnt, 0 (the file) to 1 (`net` as it is).

    Raises:
        UsageError: There is no such file, or it is no exported model of this kind.
    """
    start = type(net)()
    read_exported(start, path)
    modules = dict(net.named_modules())
    for name, module in modules.items():
        norm = _norm_after(modules, name) if isinstance(module, nn.Conv2d) else None
        if norm is not None:
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            module.weight.mul_(scale[:, None, None, None])
            _only_add(norm, norm.bias - norm.running_mean * scale)
    own = net.state_dict()
    for name, value in start.state_dict().items():
        if value.dtype.is_floating_point:
            own[name].lerp_(value, 1 - share)


def _norm_after(modules: Mapping[str, nn.Module], name: str) -> nn.BatchNorm2d | None:
    """The batch norm that follows a convolution in its sequence, if one does."""
    parent, _, last = name.rpartition(".")
    norm = modules.get(f"{parent}.{int(last) + 1}") if last.isdigit() else None
    return norm if isinstance(norm, nn.BatchNorm2d) else None


def _only_add(norm: nn.BatchNorm2d, bias: torch.Tensor) -> None:
    """Let a norm do nothing but add `bias`."""
    norm.bias.copy_(bias)
    nn.init.ones_(norm.weight)
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)


def _weights(path: Path) -> dict[str, torch.Tensor]:
    """The constants of a graph by the name that torch gave them; a folded norm's is called `…weight_bias`."""
    import onnx
    from google.protobuf.message import DecodeError
    from onnx import numpy_helper

    try:
        model = onnx.load(path)
    except (OSError, DecodeError) as error:
        raise UsageError(f"{path}: cannot be read as ONNX ({error})") from error
    found = {}
    for tensor in model.graph.initializer:
        name = tensor.name.removesuffix("_half")
        name = f"{name.removesuffix('.weight_bias')}.bias" if name.endswith(".weight_bias") else name
        found[name] = torch.from_numpy(numpy_helper.to_array(tensor).astype(np.float32))
    return found

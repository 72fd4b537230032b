"""Stores a PyTorch network with factorised Gaussian weights so that `bures certify` reads it.

    pip install torch safetensors
"""
import torch
from safetensors.torch import save_file


def export(layers, path):
    """layers: the dense layers from input to output, each a tuple of tensors
    (weight_mean [out, in], weight_std [out, in], bias_mean [out], bias_std [out]).
    Libraries often train rho or a log-variance instead: give softplus(rho) or exp(log_variance / 2)."""
    names = ("weight_mean", "weight_std", "bias_mean", "bias_std")
    tensors = {
        f"layers.{i}.{name}": tensor.detach().to("cpu", torch.float32).contiguous()
        for i, layer in enumerate(layers)
        for name, tensor in zip(names, layer)
    }
    save_file(tensors, path)


if __name__ == "__main__":  # an example: a network drawn at random
    sizes = (784, 128, 10)
    shapes = [(out, inp) for inp, out in zip(sizes, sizes[1:])]
    export([(torch.randn(s) * s[1] ** -0.5, torch.full(s, 0.01), torch.zeros(s[0]), torch.full(s[:1], 0.01)) for s in shapes], "bnn.safetensors")

"""A stand-in for modules of PyTorch: the methods that `gradcert.torch` calls, over NumPy. The wheel of torch is too large for tests."""

from __future__ import annotations

import numpy as np


class Tensor:
    def __init__(self, array):
        self.array = np.asarray(array)

    @property
    def dtype(self):
        return f"torch.{self.array.dtype}"

    @property
    def data(self):
        return self

    def detach(self):
        return self

    cpu = detach

    def double(self):
        return Tensor(self.array.astype(np.float64))

    def numpy(self):
        return self.array

    def new_tensor(self, values):
        return Tensor(np.asarray(values).astype(self.array.dtype))

    def copy_(self, other):
        self.array[...] = other.array
        return self


class Module:
    training = False

    def children(self):
        return []


class Linear(Module):
    def __init__(self, weight, bias=None):
        self.weight = Tensor(np.array(weight))
        self.bias = None if bias is None else Tensor(np.array(bias))

    def __call__(self, x):
        z = x.array @ self.weight.array.T
        return Tensor(z if self.bias is None else z + self.bias.array)


class Tanh(Module):
    def __call__(self, x):
        return Tensor(np.tanh(x.array))


class ReLU(Module):
    def __call__(self, x):
        return Tensor(np.maximum(x.array, 0))


class Dropout(Module):
    p = 0.5

    def __call__(self, x):
        return x


class Sequential(Module):
    def __init__(self, *modules):
        self.modules = list(modules)

    def children(self):
        return self.modules

    def __call__(self, x):
        for module in self.modules:
            x = module(x)
        return x


class Functional(Sequential):
    """Applies tanh in its forward, and its layers in another order if asked for."""

    def __init__(self, *modules, reverse=False):
        super().__init__(*modules)
        self.reverse = reverse

    def __call__(self, x):
        order = self.modules[::-1] if self.reverse else self.modules
        for layer in order[:-1]:
            x = Tensor(np.tanh(layer(x).array))
        return order[-1](x)

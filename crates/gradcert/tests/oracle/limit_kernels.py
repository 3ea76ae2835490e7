"""Limit kernels of arXiv 1810.02054 and 1811.03804 a second time: product rules over the plane, arc-cosines.

    python crates/gradcert/tests/oracle/limit_kernels.py --gradcert target/release/gradcert [--samples 1000] [--pairs 400]

Needs numpy and scipy. The program computes the whole kernel of random unit vectors; entries of random pairs (and the nearest to
parallel) are recomputed here with nothing in common: no series, no interpolation, a recursion pair by pair. They must agree to 1e-10.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.special import erf, expit

ACTIVATIONS = {
    "softplus": (lambda t: np.logaddexp(0, t), expit),
    "tanh": (np.tanh, lambda t: 1 / np.cosh(t) ** 2),
    "smooth-leaky-relu:0.1": (lambda t: 0.1 * t + 0.9 * (np.logaddexp(0, t) - np.log(2)), lambda t: 0.1 + 0.9 * expit(t)),
    "erf": (erf, lambda t: 2 / np.sqrt(np.pi) * np.exp(-t * t)),
}
# The trapezoidal rule, which converges like exp(-2 pi strip / step) for functions analytic in a strip; Gauss-Hermite rules of 120 nodes are off
# by 1e-5 for tanh.
NODES = np.arange(-156, 157) / 12
WEIGHTS = np.exp(-0.5 * NODES**2) / 12 / np.sqrt(2 * np.pi)


def plane(f, a, b, c):
    """E f(u) f(v) for variances a, b and covariance c."""
    x, y = NODES[:, None], NODES[None, :]
    rho = np.clip(c / np.sqrt(a * b), -1, 1)
    u, v = np.sqrt(a) * x, np.sqrt(b) * (rho * x + np.sqrt(1 - rho * rho) * y)
    return WEIGHTS @ (f(u) * f(v)) @ WEIGHTS


def line(f, a):
    return WEIGHTS @ f(np.sqrt(a) * NODES)


def relu_values(a, b, c):
    angle = np.arccos(np.clip(c / np.sqrt(a * b), -1, 1))
    return np.sqrt(a * b) * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)


def relu_slopes(a, b, c):
    return (np.pi - np.arccos(np.clip(c / np.sqrt(a * b), -1, 1))) / (2 * np.pi)


class Unit:
    def __init__(self, name):
        if name == "relu":
            self.values, self.slopes, self.mean = relu_values, relu_slopes, lambda a: np.sqrt(a / (2 * np.pi))
        else:
            f, slope = ACTIVATIONS[name]
            self.values = lambda a, b, c: plane(f, a, b, c)
            self.slopes = lambda a, b, c: plane(slope, a, b, c)
            self.mean = lambda a: line(f, a)
        self.c = 1 / self.values(1.0, 1.0, 1.0)


def fully_connected(unit, depth, a, b, c):
    for _ in range(depth - 1):
        a, b, c = (unit.c * v for v in (unit.values(a, a, a), unit.values(b, b, b), unit.values(a, b, c)))
    return unit.c * c * unit.slopes(a, b, c)


def residual(unit, depth, scale, a, b, c):
    t = scale / depth
    p, q = np.sqrt(unit.c) * unit.mean(a), np.sqrt(unit.c) * unit.mean(b)
    a, b, c = (unit.c * v for v in (unit.values(a, a, a), unit.values(b, b, b), unit.values(a, b, c)))
    for _ in range(depth - 2):
        mean_a, mean_b = unit.mean(a), unit.mean(b)
        next_a = a + 2 * t * p * mean_a + t * t * unit.values(a, a, a)
        next_b = b + 2 * t * q * mean_b + t * t * unit.values(b, b, b)
        c = c + t * (q * mean_a + p * mean_b) + t * t * unit.values(a, b, c)
        a, b, p, q = next_a, next_b, p + t * mean_a, q + t * mean_b
    return t * t * c * unit.slopes(a, b, c)


def two_layers(both, a, b, c):
    first = c * relu_slopes(a, b, c)
    return first + relu_values(a, b, c) if both else first


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gradcert", required=True)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=400)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    X = rng.standard_normal((arguments.samples, 50))
    X[1] = X[0] + 1e-3 * X[1]
    X /= np.linalg.norm(X, axis=1)[:, None]
    X[2] *= 1.7
    pairs = [(0, 1), (0, 2), (1, 2), (2, 2)] + [tuple(p) for p in rng.integers(arguments.samples, size=(arguments.pairs, 2))]
    kernels = {("hinf",): lambda *v: two_layers(False, *v), ("hinf-joint",): lambda *v: two_layers(True, *v)}
    for name in ("relu", *ACTIVATIONS):
        unit = Unit(name)
        for depth in (1, 3):
            kernels["fc", "--activation", name, "--depth", depth] = lambda *v, u=unit, h=depth: fully_connected(u, h, *v)
        for depth in (2, 4):
            key = ("resnet", "--activation", name, "--depth", depth, "--residual-scale", 0.7)
            kernels[key] = lambda *v, u=unit, h=depth: residual(u, h, 0.7, *v)
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder) / "x.npz", Path(folder) / "K.npy"
        np.savez(data, X=X, y=rng.standard_normal(len(X)))
        for options, entry in kernels.items():
            command = [arguments.gradcert, "kernel", *map(str, options), "--data", data, "--out", out, "--json", "--no-bound"]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                sys.exit(done.stderr)
            answer, K = json.loads(done.stdout), np.load(out)
            error = max(abs(K[i, j] - entry(X[i] @ X[i], X[j] @ X[j], X[i] @ X[j])) for i, j in pairs)
            worst = max(worst, error)
            print(f"{' '.join(map(str, options)):70} largest difference {error:.1e}, estimate {answer['error_estimate']}, "
                  f"{answer['kernel_seconds']:.2f} s", flush=True)
    sys.exit(0 if worst <= 1e-10 else 1)


if __name__ == "__main__":
    main()

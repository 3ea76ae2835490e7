"""Full-batch training, tangent kernels and whole runs beside other programs, in turn, in one run on the same arrays.

    python bench/peers.py --gradcert target/release/gradcert [--rounds 5] [--rows 1,2,3] [--markdown FILE]

Needs numpy, scipy, scikit-learn, jax and safetensors (`make bench` installs them into target/bench); PyTorch takes part if it is
there. One thread each. Of a run, the steps alone are timed: gradcert says how long they took (`step_seconds`; not the rotation of the
inputs, which it does once), JAX's are the difference of two compiled runs, the others do nothing else. Losses after the same number of
steps must agree to 1e-9.
"""

import os

THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu",
           "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}
os.environ.update(THREADS)

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import save_file
from sklearn.neural_network import MLPRegressor

try:
    import torch
except ImportError:
    torch = None

jax.config.update("jax_enable_x64", True)

C = 0.1
# n, d, width, layers, steps of gradcert's run, of JAX's shorter and longer run.
ROWS = [(50, 100, 10, 3, 16383, (1025, 8191)), (50, 100, 100, 3, 2047, (257, 1023)), (60, 7129, 10, 3, 16383, (129, 511)),
        (60, 20_000, 50, 3, 2047, (17, 63)), (1000, 1000, 256, 3, 31, (3, 15))]
KERNELS = [(200, 100, 64, 3), (1000, 784, 256, 3)]


def gradcert(program, *arguments):
    done = subprocess.run([program, *map(str, arguments), "--json"], capture_output=True, text=True)
    if done.returncode not in (0, 3):
        sys.exit(f"gradcert {' '.join(map(str, arguments))}: {done.stderr}{done.stdout}")
    return json.loads(done.stdout)


class Problem:
    """Gaussian data and LeCun weights, as arrays and as files."""

    def __init__(self, folder, n, d, width, layers):
        rng = np.random.default_rng(0)
        self.X, self.y = rng.standard_normal((n, d)) / np.sqrt(d), rng.standard_normal(n)
        widths = [d] + [width] * (layers - 1) + [1]
        self.parameters = [(rng.standard_normal((b, a)) / np.sqrt(a), np.zeros(b)) for a, b in zip(widths, widths[1:])]
        self.data, self.start = folder / "data.npz", folder / "start.safetensors"
        np.savez(self.data, X=self.X, y=self.y)
        arrays = {}
        for l, (w, b) in enumerate(self.parameters, 1):
            arrays |= {f"0.{l}.weight": w, f"0.{l}.bias": b}
        meaning = {"problems": ["target"], "classes": [], "target": None}
        save_file(arrays, self.start, {"format": "gradcert-model", "version": "1", "activation": f"smooth-leaky-relu:{C}",
                                       "meaning": json.dumps(meaning)})
        self.options = ("--data", self.data, "--start", self.start, "--threads", 1)

    def step_for(self, steps):
        """So many steps make the loss fall and leave it clear of rounding, where programs could not agree."""
        return 3 * len(self.y) / (np.linalg.eigvalsh(numpy_kernel(self))[-1] * steps)


def activation(t):
    size = np.abs(t)
    e = np.exp(-size)
    return C * t + (1 - C) * (np.maximum(t, 0) + np.log1p(e) - np.log(2)), C + (1 - C) * np.where(t < 0, e, 1) / (1 + e)


def numpy_kernel(problem):
    """Layer by layer: only products of matrices of samples."""
    h, slopes, hidden = problem.X, [], [problem.X]
    for w, b in problem.parameters[:-1]:
        h, s = activation(h @ w.T + b)
        hidden.append(h)
        slopes.append(s)
    n = len(problem.y)
    g, kernel = np.ones((n, 1)), np.zeros((n, n))
    for l in range(len(problem.parameters) - 1, -1, -1):
        kernel += (g @ g.T) * (hidden[l] @ hidden[l].T + 1)
        if l:
            g = (g @ problem.parameters[l][0]) * slopes[l - 1]
    return kernel


def numpy_steps(problem, steps):
    parameters = [(w.copy(), b.copy()) for w, b in problem.parameters]
    n = len(problem.y)

    def forward():
        h, slopes, hidden = problem.X, [], [problem.X]
        for w, b in parameters[:-1]:
            h, s = activation(h @ w.T + b)
            hidden.append(h)
            slopes.append(s)
        w, b = parameters[-1]
        return (h @ w.T + b)[:, 0] - problem.y, hidden, slopes

    for _ in range(steps):
        residual, hidden, slopes = forward()
        g = (2 / n * residual)[:, None]
        for l in range(len(parameters) - 1, -1, -1):
            w, b = parameters[l]
            before = (g @ w) * slopes[l - 1] if l else None
            w -= problem.step * (g.T @ hidden[l])
            b -= problem.step * g.sum(0)
            g = before
    return float(np.mean(forward()[0] ** 2))


def jax_steps(problem):
    """A function of the number of steps; compiled once per number, with a scan, as one would."""
    X, y = jnp.asarray(problem.X), jnp.asarray(problem.y)

    def sigma(t):
        return C * t + (1 - C) * (jax.nn.softplus(t) - jnp.log(2.0))

    def loss(parameters):
        h = X
        for w, b in parameters[:-1]:
            h = sigma(h @ w.T + b)
        w, b = parameters[-1]
        return jnp.mean(((h @ w.T + b)[:, 0] - y) ** 2)

    def step(parameters, _):
        gradient = jax.grad(loss)(parameters)
        return jax.tree.map(lambda p, g: p - problem.step * g, parameters, gradient), None

    start = [(jnp.asarray(w), jnp.asarray(b)) for w, b in problem.parameters]
    compiled = {}

    def run(steps):
        if steps not in compiled:
            def all_steps(parameters):
                return loss(jax.lax.scan(step, parameters, None, length=steps)[0])
            compiled[steps] = jax.jit(all_steps).lower(start).compile()
        return float(compiled[steps](start))

    return run


def torch_steps(problem, steps):
    X, y = torch.from_numpy(problem.X), torch.from_numpy(problem.y)
    parameters = [torch.from_numpy(p.copy()).requires_grad_() for pair in problem.parameters for p in pair]

    def loss():
        h = X
        for l in range(0, len(parameters) - 2, 2):
            t = torch.nn.functional.linear(h, parameters[l], parameters[l + 1])
            h = C * t + (1 - C) * (torch.nn.functional.softplus(t, threshold=800) - np.log(2))
        return ((torch.nn.functional.linear(h, *parameters[-2:])[:, 0] - y) ** 2).mean()

    for _ in range(steps):
        gradients = torch.autograd.grad(loss(), parameters)
        with torch.no_grad():
            for p, g in zip(parameters, gradients):
                p -= problem.step * g
    return float(loss())


def seconds(f):
    began = time.perf_counter()
    f()
    return time.perf_counter() - began


def text(values, unit=1.0, digits=3):
    low, middle, high = (v * unit for v in (min(values), statistics.median(values), max(values)))
    return f"{middle:.{digits}g} ({low:.{digits}g}-{high:.{digits}g})"


def steps_table(program, rounds, wanted):
    lines = ["| n, d, width, L | gradcert, us | JAX | NumPy | PyTorch | JAX / ours | NumPy / ours | PyTorch / ours |",
             "|---|---|---|---|---|---|---|---|"]
    for number, (n, d, width, layers, own_steps, (short, long)) in enumerate(ROWS, 1):
        if number not in wanted:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            problem = Problem(Path(scratch), n, d, width, layers)
            problem.step = problem.step_for(own_steps)

            def ours(steps):
                return gradcert(program, "train", *problem.options, "--out", f"{scratch}/run", "--step", problem.step,
                                "--max-iterations", steps, "--allow-uncertified", "--no-audit", "--tol", 1e-30)

            jax_run = jax_steps(problem)
            short_numpy = max(1, short // 4)
            losses = {"gradcert": ours(long)["final_loss"], "JAX": jax_run(long)}
            same = {"gradcert": ours(short_numpy)["final_loss"], "NumPy": numpy_steps(problem, short_numpy)}
            if torch:
                same["PyTorch"] = torch_steps(problem, short_numpy)
            for group in (losses, same):
                for name, loss in group.items():
                    if not abs(loss - group["gradcert"]) <= 1e-9 * group["gradcert"]:
                        sys.exit(f"row {number}: {name} arrives at {loss!r}, gradcert at {group['gradcert']!r}")
            jax_run(short)
            times = {"gradcert": [], "JAX": [], "NumPy": [], "PyTorch": []}
            for _ in range(rounds):
                run = ours(own_steps)
                times["gradcert"].append(run["step_seconds"] / run["iterations"])
                times["JAX"].append(
                    (seconds(lambda: jax_run(long)) - seconds(lambda: jax_run(short))) / (long - short))
                times["NumPy"].append(seconds(lambda: numpy_steps(problem, short_numpy)) / short_numpy)
                if torch:
                    times["PyTorch"].append(seconds(lambda: torch_steps(problem, short_numpy)) / short_numpy)
            own = statistics.median(times["gradcert"])
            cells = [text(times[k], 1e6) if times[k] else "-" for k in ("gradcert", "JAX", "NumPy", "PyTorch")]
            ratios = [f"{statistics.median(times[k]) / own:.1f}" if times[k] else "-" for k in ("JAX", "NumPy", "PyTorch")]
            lines.append(f"| {n}, {d}, {width}, {layers} | " + " | ".join(cells + ratios) + " |")
            print(lines[-1], flush=True)
    return lines


def kernels_table(program, rounds):
    lines = ["| n, d, width, L | gradcert, ms | products in NumPy | torch.func | NumPy / ours | torch.func / ours |", "|---|---|---|---|---|---|"]
    for n, d, width, layers in KERNELS:
        with tempfile.TemporaryDirectory() as scratch:
            problem = Problem(Path(scratch), n, d, width, layers)

            def ours(*more):
                return gradcert(program, "kernel", "ntk", *problem.options, "--no-bound", *more)

            ours("--out", f"{scratch}/K.npy")
            expected = numpy_kernel(problem)
            error = np.abs(np.load(f"{scratch}/K.npy") - expected).max() / np.abs(expected).max()
            if error > 1e-12:
                sys.exit(f"the kernels differ by {error:.1e}")
            times = {"gradcert": [], "NumPy": [], "torch": []}
            for _ in range(rounds):
                times["gradcert"].append(ours()["kernel_seconds"])
                times["NumPy"].append(seconds(lambda: numpy_kernel(problem)))
                if torch:
                    times["torch"].append(seconds(lambda: torch_kernel(problem)))
            own = statistics.median(times["gradcert"])
            cells = [text(times[k], 1e3) if times[k] else "-" for k in ("gradcert", "NumPy", "torch")]
            ratios = [f"{statistics.median(times[k]) / own:.1f}" if times[k] else "-" for k in ("NumPy", "torch")]
            lines.append(f"| {n}, {d}, {width}, {layers} | " + " | ".join(cells + ratios) + " |")
            print(lines[-1], flush=True)
    return lines


def torch_kernel(problem):
    """The Jacobian by vmap of the gradient, then its Gram matrix: the recipe of the torch.func tutorial."""
    parameters = {f"{l}.{k}": torch.from_numpy(p) for l, pair in enumerate(problem.parameters) for k, p in zip("wb", pair)}

    def output(parameters, x):
        h, layers = x, len(problem.parameters)
        for l in range(layers):
            h = torch.nn.functional.linear(h, parameters[f"{l}.w"], parameters[f"{l}.b"])
            if l + 1 < layers:
                h = C * h + (1 - C) * (torch.nn.functional.softplus(h, threshold=800) - np.log(2))
        return h[0]

    jacobians = torch.func.vmap(torch.func.grad(output), (None, 0))(parameters, torch.from_numpy(problem.X))
    return sum(j.flatten(1) @ j.flatten(1).T for j in jacobians.values())


def runs_table(program, rounds):
    """38 x 3051: whole processes of ours to 1e-20, scikit-learn's fits to what they reach."""
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((38, 3051)), np.where(np.arange(38) < 27, 1.0, -1.0)
    lines = ["| 38 x 3051 | ms | final loss S |", "|---|---|---|"]
    with tempfile.TemporaryDirectory() as scratch:
        np.savez(f"{scratch}/e.npz", X=X, y=y)
        data = ("--data", f"{scratch}/e.npz", "--whiten")
        commands = {
            "gradcert certify (whole process)": ("certify", *data),
            "gradcert train --no-audit (whole process)": ("train", *data, "--out", f"{scratch}/run", "--no-audit"),
            "gradcert train with its audit (whole process)": ("train", *data, "--out", f"{scratch}/run"),
        }
        for name, command in commands.items():
            loss = gradcert(program, *command).get("final_loss")
            times = [seconds(lambda: gradcert(program, *command)) for _ in range(3 * rounds)]
            lines.append(f"| {name} | {text(times, 1e3)} | {'-' if loss is None else f'{loss:.1e}'} |")
            print(lines[-1], flush=True)
    solvers = {
        "scikit-learn MLPRegressor, L-BFGS": dict(solver="lbfgs", max_iter=100_000, max_fun=1_000_000, tol=0),
        "scikit-learn MLPRegressor, Adam": dict(solver="adam", max_iter=20_000, tol=0, n_iter_no_change=20_000, batch_size=38),
    }
    for name, options in solvers.items():
        def fit():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return MLPRegressor(hidden_layer_sizes=(32,), activation="tanh", alpha=0, random_state=0, **options).fit(X, y)
        # Once where it takes a minute.
        began = time.perf_counter()
        model = fit()
        times = [time.perf_counter() - began]
        if times[0] < 5:
            times += [seconds(fit) for _ in range(rounds - 1)]
        lines.append(f"| {name} | {text(times, 1e3)} | {np.mean((model.predict(X) - y) ** 2):.1e} |")
        print(lines[-1], flush=True)
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gradcert", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", default="1,2,3,4,5")
    parser.add_argument("--markdown", type=Path, help="a page with the lines '<!-- bench begin -->' and '<!-- bench end -->'")
    arguments = parser.parse_args()
    wanted = {int(row) for row in arguments.rows.split(",")}
    versions = f"jax {jax.__version__}, numpy {np.__version__}" + (f", torch {torch.__version__}" if torch else "; PyTorch was not there")
    print(f"one thread each; {versions}; {arguments.rounds} rounds: median (smallest-largest)", flush=True)
    parts = [["Microseconds of a full-batch step:"], steps_table(arguments.gradcert, arguments.rounds, wanted),
             ["Milliseconds of a tangent kernel:"], kernels_table(arguments.gradcert, arguments.rounds),
             ["Whole runs:"], runs_table(arguments.gradcert, arguments.rounds)]
    if arguments.markdown:
        page = arguments.markdown.read_text()
        before, rest = page.split("<!-- bench begin -->")
        after = rest.split("<!-- bench end -->")[1]
        table = "\n\n".join("\n".join(part) for part in parts)
        arguments.markdown.write_text(f"{before}<!-- bench begin -->\n{versions}; {arguments.rounds} rounds: median (smallest-largest).\n\n{table}\n<!-- bench end -->{after}")


if __name__ == "__main__":
    main()

"""How time grows with samples, features, width and depth, beside the number of operations the mathematics asks for.

    python bench/growth.py --gradcert target/release/gradcert [--markdown FILE]

Needs numpy. One thread. An exponent is the slope between the last two sizes (each twice the one before) of the logarithm of the time,
the fastest of several runs; beside it stands the same slope of the operations.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

REPEATS = 5


def gradcert(program, *arguments):
    done = subprocess.run([program, *map(str, arguments), "--json"], capture_output=True, text=True)
    if done.returncode not in (0, 3):
        sys.exit(f"gradcert {' '.join(map(str, arguments))}: {done.stderr}{done.stdout}")
    return json.loads(done.stdout)


def net(width, depth):
    return ("--width", width, "--depth", depth, "--threads", 1)


def step(program, data, folder, n, d, width, depth):
    steps = 9 + 200_000_000 // step_operations(n, d, width, depth)
    run = gradcert(program, "train", "--data", data, "--start", "lecun", *net(width, depth), "--out", f"{folder}/run", "--step", 1e-9,
                   "--max-iterations", steps, "--allow-uncertified", "--no-audit", "--tol", 1e-300)
    return run["step_seconds"] / run["iterations"]


def step_operations(n, d, width, depth):
    """Three products a layer; the first layer reads as many features as there are samples (T11)."""
    return 6 * n * (min(n, d) * width + (depth - 2) * width**2 + width)


def kernel(program, data, folder, n, d, width, depth):
    return gradcert(program, "kernel", "ntk", "--data", data, "--start", "lecun", *net(width, depth), "--no-bound")["kernel_seconds"]


def kernel_operations(n, d, width, depth):
    return n * n * (d + 2 * (depth - 1) * width) + 4 * n * (d * width + (depth - 2) * width**2)


def certificate(program, data, folder, n, d, width, depth):
    return gradcert(program, "certify", "--data", data, *net(width, depth), "--scale", 300)["seconds"]


def certificate_operations(n, d, width, depth):
    """A Gram matrix and three factorisations; the recursions do not depend on the samples."""
    return n * n * d + n**3


def loading(program, data, folder, n, d, width, depth):
    began = time.perf_counter()
    seconds = gradcert(program, "inspect", "--data", data)["seconds"]
    return time.perf_counter() - began - seconds


def loading_operations(n, d, width, depth):
    return n * d


# What is measured, how data are written, the point from which each of n, d, width and depth is doubled, and how often.
QUANTITIES = {
    "step of gradient descent": (step, step_operations, "npz", dict(n=100, d=2000, width=64, depth=3), dict(n=3, d=2, width=3, depth=3)),
    "tangent kernel": (kernel, kernel_operations, "npz", dict(n=400, d=400, width=128, depth=3), dict(n=3, d=2, width=2, depth=2)),
    "certificate, A = 300": (certificate, certificate_operations, "npz", dict(n=250, d=2500, width=32, depth=3), dict(n=3, d=2, width=2, depth=2)),
    "loading a CSV file": (loading, loading_operations, "csv", dict(n=60, d=5000, width=1, depth=2), dict(n=3, d=3)),
}


def write(folder, kind, n, d):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((n, d)), rng.standard_normal(n)
    path = Path(folder) / f"data.{kind}"
    if kind == "npz":
        np.savez(path, X=X, y=y)
        return path
    with path.open("w") as file:
        file.write(",".join([f"x{j}" for j in range(d)] + ["y"]) + "\n")
        file.writelines(",".join(map(repr, row)) + "\n" for row in np.column_stack([X, y]).tolist())
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gradcert", required=True)
    parser.add_argument("--markdown", type=Path, help="a page with the lines '<!-- growth begin -->' and '<!-- growth end -->'")
    arguments = parser.parse_args()
    lines = ["| what | doubled | from | to | ms there | exponent | of the operations |", "|---|---|---|---|---|---|---|"]
    for what, (measure, operations, kind, point, doublings) in QUANTITIES.items():
        for name, times in doublings.items():
            sizes, seconds = [dict(point, **{name: point[name] * 2**k}) for k in range(times + 1)], []
            for size in sizes:
                with tempfile.TemporaryDirectory() as folder:
                    data = write(folder, kind, size["n"], size["d"])
                    seconds.append(min(measure(arguments.gradcert, data, folder, **size) for _ in range(REPEATS)))
            measured = math.log2(seconds[-1] / seconds[-2])
            asked = math.log2(operations(**sizes[-1]) / operations(**sizes[-2]))
            where = ", ".join(f"{k} = {v}" for k, v in point.items() if k in doublings or k == name)
            lines.append(f"| {what} ({where}) | {name} | {sizes[0][name]} | {sizes[-1][name]} | {seconds[-1] * 1e3:.3g} | "
                         f"{measured:.2f} | {asked:.2f} |")
            print(lines[-1], flush=True)
    if arguments.markdown:
        page = arguments.markdown.read_text()
        before, rest = page.split("<!-- growth begin -->")
        after = rest.split("<!-- growth end -->")[1]
        table = "\n".join(lines)
        arguments.markdown.write_text(f"{before}<!-- growth begin -->\n{table}\n<!-- growth end -->{after}")


if __name__ == "__main__":
    main()

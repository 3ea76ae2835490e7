"""Plants one error at a time in the bounds and demands that a test fails: the tests are tested.

    python3 tests/planted/plant.py            all planted errors
    python3 tests/planted/plant.py NAME ...   those whose name contains one of the words

Works on a copy of the tree; exit 1 if an error survives, 2 if a text to be replaced is not found exactly once (then the
code has changed and the list below must follow). A planted error that does not compile counts as no test. Standard
library only; takes about half a minute per error.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
THEOREM = "crates/gradcert/src/theorem/"
LINEAR = "crates/rigor/src/linear/"
WHITENED = THEOREM + "whitened/"
TIME_LIMIT = 900


@dataclass
class Plant:
    name: str
    file: str
    old: str
    new: str
    tests: str  # test binaries of the crate (lib: its unit tests), in this order until one fails

    @property
    def package(self):
        return "gradcert-rigor" if self.file.startswith("crates/rigor/") else "gradcert"


PLANTS = [
    # ------------------------------------------------------------------------- entrywise enclosures
    Plant("radii of entries not inflated", LINEAR + "entrywise.rs",
          "radius * (1.0 + 16.0 * UNIT) + 16.0 * LEAST", "radius", "linear_products"),
    Plant("products of entries without the product of their errors", LINEAR + "entrywise.rs",
          "ra * (size_b + rb) + rounding", "ra * size_b + rounding", "linear_products"),
    Plant("products of entries without their rounding", LINEAR + "entrywise.rs",
          "if exact { 0.0 } else { UNIT * p.abs() }", "if exact { 0.0 } else { 0.0 * p.abs() }", "linear_products"),
    Plant("sums of entries without their rounding", LINEAR + "entrywise.rs",
          "let radius = ra + rb + error;", "let radius = ra + rb + 0.0 * error;", "linear_products"),
    Plant("lower bound of a norm not lowered", LINEAR + "entrywise.rs",
          "majorant.below(least)", "least", "linear_products"),
    Plant("products of matrices without what underflows", LINEAR + "roundoff.rs",
          "(computed + self.absolute) * self.relative", "computed * self.relative", "linear_products"),
    Plant("products of matrices without the errors of the right one", LINEAR + "product.rs",
          "inflate(scale * x + r)", "inflate(scale * x + 0.0 * r)", "linear_products"),
    # ------------------------------------------------------------------------------------------- (T14) widths
    Plant("width: what joins moves nobody", THEOREM + "relu_width.rs",
          "p.square = add_up(p.square, samples.squares[p.sample * n + joined]);",
          "p.square = add_up(p.square, 0.0 * samples.squares[p.sample * n + joined]);", "relu_width relu_width_checked"),
    Plant("width: movement of earlier cells forgotten", THEOREM + "relu_width.rs",
          "p.moved = p.reach(length)", "p.moved = 0.0 * p.reach(length)", "relu_width relu_width_checked"),
    Plant("width: margins of inactive samples never used up", THEOREM + "relu_width.rs",
          "let used_up = p.reach(length) >= p.margin;",
          "let used_up = p.reach(length) >= p.margin && sides[p.sample] != Side::Inactive;",
          "relu_width relu_width_checked"),
    Plant("width: spread halved", THEOREM + "relu_width.rs",
          "count(possible(i, j) - sure(i, j))", "count(0.5 * (possible(i, j) - sure(i, j)))",
          "relu_width relu_width_checked"),
    Plant("width: centre at the upper end", THEOREM + "relu_width.rs",
          "count(sure(i, j) + possible(i, j))", "count(2.0 * possible(i, j))", "relu_width relu_width_checked"),
    Plant("width: decay without the spread", THEOREM + "relu_width.rs",
          "let own = sub_down(self.low, self.spread);", "let own = self.low;", "relu_width relu_width_checked"),
    Plant("width: largest eigenvalue forgotten", THEOREM + "relu_width.rs",
          "own.min(other)", "own", "relu_width relu_width_checked"),
    Plant("width: the clock of a step at its beginning", THEOREM + "relu_width_descent.rs",
          "clock = add_up(clock, mul_up(c.hi(), u));", "clock = add_up(clock, mul_up(c.hi(), 0.0 * u));",
          "lib relu_width_checked"),
    Plant("width: no rest of the path", THEOREM + "relu_width_descent.rs",
          "add_up(clock, div_up(u, decays[j])) <= clocks[j]", "clock <= clocks[j]", "lib relu_width_checked"),
    # ------------------------------------------------------------------------------------------- (T9+) balls
    Plant("metric factor missing in dJ", THEOREM + "ball.rs",
          "let block = outer.plus(&inner.times(self.weight_factor(l)));",
          "let block = outer.plus(&inner);", "attack reference"),
    Plant("c_l missing in s_l (c.s + q)", THEOREM + "drift.rs",
          "(self.linear[layer - 1] + size)", "size", "attack reference"),
    Plant("|W| + s replaced by |W| in drifts", THEOREM + "drift.rs",
          "drift.rest += factor * quadratic;", "let _ = factor * quadratic;", "attack reference"),
    Plant("|W| + s replaced by |W| in LJ", THEOREM + "ball.rs",
          "centre.norm_weights[l] + self.weight_factor(l) * self.s;", "centre.norm_weights[l];", "attack reference"),
    Plant("e_l without the curvature term", THEOREM + "ball.rs",
          "dv.times(self.slope[l][i]).plus(&dz[l][i].clone().times(bend));",
          "dv.times(self.slope[l][i]); let _ = bend;", "attack reference"),
    Plant("|dG_l| without the curvature term", THEOREM + "ball.rs",
          ".plus(&dz_joint[l].clone().times(Upper::maximum(bends)));",
          ".plus(&dz_joint[l].clone().times(Upper::maximum(bends) * Upper::ZERO));", "attack reference"),
    Plant("s|g| missing in the backward drift", THEOREM + "ball.rs",
          "let dv = Drift::of_layer(layers, l + 1, factor * centre.backward[l + 1][i])",
          "let dv = Drift::of_layer(layers, l + 1, factor * Upper::ZERO)", "attack reference"),
    Plant("LJ without the curvature of the activation", THEOREM + "ball.rs",
          "gd[i] = bend * zd[l][i] + self.slope[l][i] * vd;", "gd[i] = self.slope[l][i] * vd;", "attack reference"),
    Plant("LJ without the move of the next weights", THEOREM + "ball.rs",
          "let vd = own(self.backward_sup[l + 1][i]) + norm(l + 1) * gd[i];",
          "let vd = own(Upper::ZERO) + norm(l + 1) * gd[i];", "attack reference"),
    Plant("LJ without the second term of a block", THEOREM + "ball.rs",
          "blocks[l] = outer + self.weight_factor(l) * inner;", "blocks[l] = outer; let _ = inner;", "attack reference"),
    Plant("smax(H~) does not grow", THEOREM + "ball.rs",
          "(centre.smax_extended[l] + weight * growth).min(columns);", "centre.smax_extended[l].min(columns);",
          "attack reference"),
    Plant("|g| does not grow", THEOREM + "ball.rs",
          "(centre.backward[l][i] + e.value(s)).min(", "centre.backward[l][i].min(", "attack reference"),
    Plant("frozen layers without their norm", THEOREM + "ball.rs",
          "if factor == Upper::ZERO { centre.norm_weights[l + 1] }", "if factor == Upper::ZERO { Upper::ONE }", "attack reference"),
    Plant("slopes at the centre instead of their suprema", THEOREM + "ball.rs",
          "let reachable = |z: &Interval| *z + Interval::new(-reach.get(), reach.get());",
          "let reachable = |z: &Interval| { let _ = reach; *z };", "attack reference"),
    Plant("first-layer psi of the best sample", THEOREM + "ball.rs",
          "Lower::minimum(centre.backward_first.iter().zip(&at.backward[1])"
          ".map(|(&low, e)| low.minus(e.value(at.s))))",
          "centre.backward_first.iter().zip(&at.backward[1])"
          ".map(|(&low, e)| low.minus(e.value(at.s))).fold(Lower::ZERO, Lower::max)", "attack reference"),
    Plant("multiplicities missing in norms over samples", THEOREM + "drift.rs",
          "map(|(d, &w)| w * entry(d)).collect();", "map(|(d, _)| entry(d)).collect();", "attack reference"),
    Plant("the largest coupling instead of the norm of all", THEOREM + "ball.rs",
          "spectral_norm(&coefficients, layers, layers) * s + Upper::norm(remainders)",
          "Upper::maximum(coefficients.iter().copied()) * s + Upper::norm(remainders)", "attack reference"),
    Plant("inputs that ignore the metric", "crates/gradcert/src/certify/given.rs",
          "problem.input_bounds_in(metric)", "problem.input_bounds(metric.biases[1] == 0.0)", "by_hand descent"),
    # --------------------------------------------------------------------------------- quantities at the centre
    Plant("kernel without multiplicities", THEOREM + "general.rs",
          "sum.scale_rows(&of(rows)).scale_columns(&of(columns))", "{ let _ = (of(rows), of(columns)); sum }", "attack"),
    Plant("gamma_l without the width", THEOREM + "start.rs",
          "gamma[l] = phi0 * entry(l + 1) * width(l + 1) * gamma[l + 1];",
          "gamma[l] = phi0 * entry(l + 1) * gamma[l + 1];", "attack"),
    # ---------------------------------------------------------------------------------------- (T9m) and (T7+)
    Plant("sqrt(1 + N^2) replaced by 1", THEOREM + "multiplicative.rs",
          "* Upper::ONE.hypot(stray);", "* Upper::ONE.hypot(stray * Upper::ZERO);", "attack reference"),
    Plant("condition of Jensen's form missing", THEOREM + "multiplicative.rs",
          "if (y * y).get() <= square.lo() {", "if square.lo() >= 0.0 {", "attack reference"),
    Plant("cells read at their lower end", THEOREM + "multiplicative.rs",
          "s * first, s * Upper::new(high))", "s * first, s * Upper::new(low + 0.0 * high))",
          "attack reference"),
    Plant("the largest slope replaced by 1", THEOREM + "multiplicative.rs",
          "f = f.max(mean.minus(at.largest * y));", "f = f.max(mean.minus(y));", "attack reference"),
    Plant("move of the biases missing in zeta", THEOREM + "multiplicative.rs",
          "* phibar * zeta + bias * other;", "* phibar * zeta + bias * other * Upper::ZERO;", "attack reference"),
    Plant("slope floor although later layers move", THEOREM + "general.rs",
          "let frozen = metric.weights[2..].iter().all(|&d| d == 0.0);",
          "let frozen = metric.weights[2..].iter().all(|&d| d >= 0.0);", "attack"),
    # ---------------------------------------------------------------------------------- profiles, (T4), (T5), (T5s)
    Plant("psi read at the left end of a cell", THEOREM + "profile.rs",
          "integral = integral + Lower::new(s).minus(before) * psi;",
          "integral = integral + Lower::new(s).minus(before) * profile.psi.last().copied().unwrap_or(psi);", "by_hand"),
    Plant("theta of the linear step lemma set to 1", THEOREM + "descent.rs",
          "let theta = theta.min(Lower::ONE);", "let theta = theta.max(Lower::ONE);", "adversary"),
    # The second condition of thA, lam T + thA sqrt(t0 T) <= 1, cannot be planted away: where the first holds, so does it
    # (on a grid of t0, T, lam the left side stays below 1 and reaches it only at t0 = T = 1).
    Plant("thA with T = 1 for large steps", THEOREM + "descent.rs",
          "let big = Interval::exact(t1.get().max(1.0));", "let big = Interval::exact(t1.get().min(1.0).max(1.0));",
          "adversary"),
    Plant("thA without the curvature term", THEOREM + "descent.rs",
          "let room = two - t0 - big - two * lambda;", "let room = two - t0 - big;", "adversary"),
    Plant("second form without its loss", THEOREM + "descent.rs",
          ".minus(loss * Upper::new(profile.radius[j])).get() > residual.get();",
          ".minus(loss * Upper::ZERO).get() > residual.get();", "adversary"),
    Plant("lam = 0 in the contraction", THEOREM + "descent.rs",
          "let lambda = self.bend * u;", "let lambda = self.bend * u * Upper::ZERO;", "adversary"),
    Plant("the sharp contraction without its condition", THEOREM + "descent.rs",
          "if 2.0 * lambda.get() <= room.lo() {", "if 2.0 * lambda.get() <= room.lo() + 1e9 {", "adversary"),
    Plant("contraction with psi(0) instead of psi(r)", THEOREM + "descent.rs",
          "let b = c.lower() * psi.square();", "let b = c.lower() * profile.psi[0].square();", "adversary"),
    Plant("spectral deviation without dJ", THEOREM + "envelope.rs",
          "let delta = drift * (descent.norm() + smax_start) + defect;",
          "let delta = drift * (descent.norm() + smax_start) * Upper::ZERO + defect;", "adversary"),
    Plant("spectral deviation with half the kernel's change", THEOREM + "envelope.rs",
          "let delta = drift * (descent.norm() + smax_start) + defect;",
          "let delta = drift * smax_start + defect;", "adversary"),
    Plant("spectral deviation forgets its past", THEOREM + "envelope.rs",
          "slowest * self.deviation + self.perturbation * self.u * sum;",
          "{ let _ = slowest; self.perturbation * self.u * sum };", "adversary"),
    Plant("a block perturbed only once", THEOREM + "envelope.rs",
          "self.powers.push((power * power, sum * (Upper::ONE + power)));", "self.powers.push((power * power, sum));",
          "adversary"),
    Plant("a block that reaches the target is kept whole but counted once", THEOREM + "envelope.rs",
          "k += 1 << level;", "k += (1 << level) - u64::from(level > 2);", "adversary"),
    Plant("one iteration too few is counted", THEOREM + "envelope.rs",
          "(k <= limit).then_some(k)", "(k <= limit).then_some(k.saturating_sub(1))", "adversary"),
    # -------------------------------------------------------------------------------------------- derivatives
    Plant("sixth derivative of tanh without its last term", "crates/gradcert/src/network/activation/taylor.rs",
          "number(480.0) - number(720.0) * w", "number(480.0)", "lib"),
    Plant("x f without k f^(k-1)", "crates/gradcert/src/network/activation/taylor.rs",
          "number((k + 1) as f64) * slopes[k - 1]", "number(k as f64) * slopes[k - 1]", "lib"),
    Plant("three-term recursion forgets one term", "crates/gradcert/src/network/activation/taylor.rs",
          "number(a) * (x * g[k - 1]) + number(b) * before", "number(a) * (x * g[k - 1]) + number(0.0 * b) * before", "lib"),
    # ------------------------------------------------------------------------------------------------- (T16n)
    Plant("third order without 3 sigma'' zd zdd", WHITENED + "third_order.rs",
          "sum += three * mixed.min(", "let _ = three * mixed.min(", "reference audit_attack"),
    Plant("third order with 1 in place of 3", WHITENED + "third_order.rs",
          "let three = Upper::new(3.0);", "let three = Upper::ONE;", "audit_attack reference"),
    Plant("third order without the third derivative of sigma", WHITENED + "third_order.rs",
          "sum += worst(&|i| third[i] * zd[i].square()) * zd_joint;", "let _ = third;", "audit_attack reference"),
    Plant("third order without moves of later weights", WHITENED + "third_order.rs",
          "sum += three * moved * inner;", "let _ = moved * inner;", "audit_attack reference"),
    Plant("zdd without 2 u hd", WHITENED + "third_order.rs",
          "w * hdd[i] + Upper::new(2.0) * moved * hd[i])", "w * hdd[i])", "reference audit_attack"),
    Plant("ZDD without 2 u HD", WHITENED + "third_order.rs",
          "w * hdd_joint + Upper::new(2.0) * moved * hd_joint)", "w * hdd_joint)", "reference audit_attack"),
    Plant("third order without multiplicities", WHITENED + "third_order.rs",
          "Upper::norm((0..samples).map(|i| centre.weight[i] * value(i)))", "Upper::norm((0..samples).map(value))",
          "reference audit_attack"),
    Plant("third order without the metric", WHITENED + "third_order.rs",
          "Upper::new(centre.metric.weights[l]) * own", "own", "reference audit_attack"),
    Plant("third order at the centre alone", WHITENED + "third_order.rs",
          "let reachable = |z: &Interval| *z + Interval::new(-reach.get(), reach.get());",
          "let reachable = |z: &Interval| { let _ = reach; *z };", "reference audit_attack"),
    Plant("one corner of the cover for all", WHITENED + "third_order.rs",
          "corners(centre.layers()).iter().map(", "corners(centre.layers()).iter().take(1).map(", "reference audit_attack"),
    Plant("boxes that do not cover", WHITENED + "third_order.rs",
          "compositions(m + layers - 1, layers, &mut vec![], &mut found);",
          "compositions(m.max(layers), layers, &mut vec![], &mut found);", "lib"),
    # ------------------------------------------------------------------------------------------------- (T16d)
    Plant("delta ignored", WHITENED + "row_space.rs",
          "Some((square / quality).sqrt())", "Some(square.sqrt())", "lib"),
    Plant("om without the mixed terms", WHITENED + "row_space.rs",
          "add(mixed.plus(&mixed.transpose()).scaled(factor));", "let _ = mixed.transpose();", "audit_attack"),
    Plant("Gam without multiplicities", WHITENED + "row_space.rs",
          "let gram = sum_along(&at, &directions)?.scale_rows(&roots).scale_columns(&roots);",
          "let gram = sum_along(&at, &directions)?;", "audit_attack"),
    Plant("Gam without its last directions", WHITENED + "row_space.rs",
          "indices.chunks(SIDE_BY_SIDE)", "indices.chunks_exact(SIDE_BY_SIDE)", "audit_attack"),
    Plant("directions without multiplicities", WHITENED + "row_space.rs",
          "EnclosedMatrix::exact(q.transpose().to_owned()).scale_rows(&roots)",
          "EnclosedMatrix::exact(q.transpose().to_owned())", "audit_attack"),
    Plant("om with D in place of D^2", WHITENED + "row_space.rs",
          "let factor = Interval::exact(metric.weights[l + 1]).square();",
          "let factor = Interval::exact(metric.weights[l + 1]);", "audit_attack"),
    # ------------------------------------------------------------------------------------------------- (T16e)
    Plant("kap_k dropped", WHITENED + "two_layers.rs", "b + kap(k) * c }", "b + c }", "reference"),
    Plant("C_k dropped", WHITENED + "two_layers.rs", "b + kap(k) * c }", "b }", "reference"),
    Plant("(T16e) without the multiplicities", WHITENED + "two_layers.rs",
          "product.scale_rows(&of(above)).scale_columns(&of(left))", "{ let _ = (of(above), of(left)); product }",
          "reference audit_attack"),
    Plant("weights left out of B_k", WHITENED + "two_layers.rs",
          "size(&derivatives[k - 1].scale_columns(&scale), k)", "{ let _ = &scale; size(&derivatives[k - 1], k) }",
          "reference audit_attack"),
    Plant("(T16e) without the metric of the last layer", WHITENED + "two_layers.rs",
          "output_factor * size(&derivatives[k - 2], k - 1)", "size(&derivatives[k - 2], k - 1)", "reference"),
    Plant("last order at the centre alone", WHITENED + "two_layers.rs",
          "self.largest_weight + self.output_factor * Upper::new(radius)",
          "self.largest_weight + self.output_factor * Upper::new(0.0 * radius)", "reference"),
    Plant("last order without its mixed term", WHITENED + "two_layers.rs", "* (own + mixed));",
          "* (own + Upper::ZERO * mixed));", "reference"),
    # -------------------------------------------------------------------------------------------- (T15), (T16)
    Plant("kappa with larger factorials", WHITENED + "orders.rs",
          "power * s / Lower::new((k - 2) as f64)", "power * s / Lower::new(((k - 2) * (k - 1)) as f64)", "lib audit_attack"),
    Plant("integral of kappa with half its loss", WHITENED + "orders.rs",
          "Lower::new(t).minus(loss * Upper::new(t))", "Lower::new(t).minus(loss * Upper::HALF * Upper::new(t))",
          "lib audit_attack"),
    Plant("kappa beyond its radius", WHITENED + "orders.rs",
          "let known = s <= self.radius;", "let known = s <= 2.0 * self.radius;", "lib"),
    Plant("psi with kappa at half the radius", WHITENED + "orders.rs",
          "Lower::ONE.minus(self.kappa(s))", "Lower::ONE.minus(self.kappa(0.5 * s))", "audit_attack"),
    Plant("a distance below the first that is enough", THEOREM + "existence.rs",
          "if holds(middle) { high = middle } else { low = middle }\n    }\n    high",
          "if holds(middle) { high = middle } else { low = middle }\n    }\n    0.9 * high", "lib audit_attack"),
]


def copy_tree(to):
    ignored = shutil.ignore_patterns("target", ".git", "node_modules", "__pycache__")
    # New times: what an interrupted run built from a planted error must not pass for up to date.
    shutil.copytree(ROOT, to, ignore=ignored, copy_function=shutil.copyfile)


def cargo(tree, target, package, test, build_only=False):
    """(succeeded, output) of one test binary; None when it takes too long."""
    environment = dict(os.environ, CARGO_TARGET_DIR=str(target), CARGO_PROFILE_DEV_DEBUG="0", CARGO_TERM_COLOR="never")
    binary = ["--lib"] if test == "lib" else ["--test", test]
    command = ["cargo", "test", "--quiet", "--package", package, *binary]
    if build_only:
        command.append("--no-run")
    try:
        done = subprocess.run(command, cwd=tree, env=environment, text=True, timeout=TIME_LIMIT,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired:
        return None, "time limit"
    return done.returncode == 0, done.stdout


def failed_tests(output):
    # "    name" lines after the last "failures:".
    tail = output.rsplit("failures:", 1)[-1] if "failures:" in output else ""
    return [line.strip() for line in tail.splitlines() if line.startswith("    ") and line.strip()]


def verdict(tree, target, plant):
    """What became of one planted error."""
    for test in plant.tests.split():
        built, output = cargo(tree, target, plant.package, test, build_only=True)
        if not built:
            return f"does not compile:\n{output[-2000:]}", False
        passed, output = cargo(tree, target, plant.package, test)
        if passed is None:
            return "time limit", False
        if not passed:
            return f"{test}: {', '.join(failed_tests(output)) or 'failed'}", True
    return "SURVIVED", False


def misplaced(plants):
    for plant in plants:
        found = (ROOT / plant.file).read_text().count(plant.old)
        if found != 1:
            yield f"{plant.name}: the text is found {found} times in {plant.file}"


def main(words):
    plants = [p for p in PLANTS if not words or any(word in p.name for word in words)]
    lost = list(misplaced(plants))
    if lost:
        print("\n".join(lost))
        return 2
    survivors = 0
    target = ROOT / "target" / "planted"
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "tree"
        copy_tree(tree)
        for package, test in sorted({(p.package, test) for p in plants for test in p.tests.split()}):
            passed, output = cargo(tree, target, package, test)
            if not passed:
                print(f"{test} fails without any planted error:\n{output[-3000:]}")
                return 2
        for plant in plants:
            began = time.time()
            path = tree / plant.file
            text = path.read_text()
            path.write_text(text.replace(plant.old, plant.new))
            result, caught = verdict(tree, target, plant)
            path.write_text(text)
            survivors += not caught
            print(f"{'caught' if caught else 'MISSED':7} {plant.name:52} {time.time() - began:4.0f} s  {result}", flush=True)
    print(f"{len(plants) - survivors} of {len(plants)} planted errors caught")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

import json
import pickle
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import gradcert
from gradcert import _gradcert


def test_a_proof_before_training_is_kept_by_training_and_checked(leukaemia):
    X, y = leukaemia
    training = gradcert.train(X, y)
    certificate = training.certificate
    assert training.certified and certificate.status == "certified"
    assert training.iterations <= certificate.certified_iterations
    assert training.final_loss <= 1e-20
    assert training.runs[0]["stop"] == "tolerance"
    history = training.history[0]
    assert np.all(history.loss <= history.envelope)
    assert np.all(np.diff(history.iteration) > 0) and history.iteration[-1] == training.iterations
    assert "reaches" not in repr(certificate) and "T4" in repr(certificate)
    stated = float(repr(certificate).split("1 - ")[1].split(">")[0])
    assert 0.999 < stated <= certificate.rate < 1.0
    assert certificate.check().problems[0][0] == certificate.problems[0]["problem"]
    assert training.audit is not None and training.audit.certified and training.audit.distance < 1e-3
    assert training.audit.check(X, y).problems
    assert np.all(np.sign(training.model.outputs(X)[:, 0]) == np.where(y == "AML", 1.0, -1.0))


def test_a_certificate_is_the_one_of_the_library(small, tmp_path):
    X, y = small
    certificate = gradcert.certify(X, y, whiten=False, layer_steps="equal")
    certificate.save(tmp_path / "c.json")
    file = json.loads((tmp_path / "c.json").read_text())
    claim = file["certificates"][0]["claim"]
    assert file["data"]["samples"] == 12 and file["data"]["features"] == 20
    assert float.fromhex(claim["step_size"]) == certificate.step_size
    assert claim["iterations"] == certificate.certified_iterations
    assert not (tmp_path / "c.start.safetensors").exists(), "the positive start is stated, not stored"
    lines = gradcert.check(tmp_path / "c.json", X, y)
    assert str(lines).startswith("valid")


def test_drawn_starts_are_stored_beside_the_certificate(small, tmp_path):
    X, y = small
    certificate = gradcert.certify(X, y, start="lecun", hidden_layer_sizes=(400,), activation="tanh", retry=5)
    assert certificate.problems[0]["seed"] is not None
    certificate.save(tmp_path / "c.json")
    assert (tmp_path / "c.start.safetensors").exists()
    gradcert.check(tmp_path / "c.json", X, y)
    other = gradcert.certify(X, y, start=gradcert.Model.load(tmp_path / "c.start.safetensors"))
    assert other.certified_iterations == certificate.certified_iterations


def test_a_changed_certificate_is_refused(small, tmp_path):
    X, y = small
    path = tmp_path / "c.json"
    gradcert.certify(X, y).save(path)
    file = json.loads(path.read_text())
    file["certificates"][0]["claim"]["iterations"] = 1
    path.write_text(json.dumps(file))
    with pytest.raises(gradcert.CertificateError) as refused:
        gradcert.check(path, X, y)
    assert refused.value.code == "certificate_not_proved"
    with pytest.raises(gradcert.CertificateError) as other:
        gradcert.check(path, X + 1.0, y)
    assert other.value.code == "certificate_hash"


def test_proofs_are_pickled_without_their_data(small):
    X, y = small
    training = gradcert.train(X, y)
    certificate = pickle.loads(pickle.dumps(training.certificate))
    assert certificate == training.certificate
    with pytest.raises(TypeError, match="not kept"):
        certificate.check()
    assert certificate.check(X, y) == training.certificate.check()
    model = pickle.loads(pickle.dumps(training.model))
    assert np.array_equal(model.outputs(X), training.model.outputs(X))
    audit = pickle.loads(pickle.dumps(training.audit))
    assert audit.check(X, y) == training.audit.check()


def test_several_outputs_are_several_problems(small):
    X, y = small
    Y = np.stack([y, y**2, np.ones_like(y)], axis=1)
    training = gradcert.train(X, Y)
    assert [p["problem"] for p in training.certificate.problems] == ["target 0", "target 1", "target 2"]
    assert np.allclose(training.model.outputs(X), Y, atol=1e-8)
    assert len(training.certificate.check().problems) == 3
    assert training.certificate.certified_iterations == max(
        p["certified_iterations"] for p in training.certificate.problems
    )


def test_more_samples_than_features_decline_and_are_certified_when_lifted():
    random = np.random.default_rng(1)
    X, y = random.standard_normal((40, 3)), random.standard_normal(40)
    with pytest.raises(gradcert.Declined) as declined:
        gradcert.certify(X, y)
    assert declined.value.codes == ("dependent_inputs",)
    assert "lift='fourier'" in declined.value.remedy and "remedy" in str(declined.value)
    assert pickle.loads(pickle.dumps(declined.value)).reasons == declined.value.reasons
    returned = gradcert.certify(X, y, on_decline="return")
    assert returned.status == "declined" and "dependent_inputs" in repr(returned)
    with pytest.raises(gradcert.Declined):
        returned.save("nowhere")
    lifted = gradcert.train(X, y, lift="fourier")
    assert lifted.certificate.recipe.lift.startswith("fourier:80:0:")
    assert np.allclose(lifted.model.outputs(X), y[:, None], atol=1e-6)
    assert lifted.certificate.check(X, y).problems


def test_what_is_declined_can_be_trained_without_a_certificate():
    random = np.random.default_rng(1)
    X, y = random.standard_normal((40, 3)), random.standard_normal(40)
    training = gradcert.train(X, y, on_decline="train", activation="tanh", hidden_layer_sizes=(100,), tol=1e-10)
    assert not training.certified and training.runs[0]["optimizer"] == "L-BFGS"
    assert training.final_loss <= 1e-10
    assert np.all(np.isnan(training.history[0].envelope))
    with pytest.raises(gradcert.Declined):
        gradcert.train(X, y)


def test_other_methods_have_no_certificate(small):
    X, y = small
    training = gradcert.train(X, y, optimizer="adam", max_iter=50)
    assert not training.certified and training.iterations == 50 and training.certificate.certified
    moments = gradcert.train(X, y, whiten=False, audit_every=20, audit=False)
    assert moments.audit is None
    audited = moments.runs[0]["moments"]
    assert audited[0]["iteration"] == 0 and audited[1]["iteration"] == 20
    first = moments.runs[0]["first_provable"]
    assert first is None or first % 20 == 0


def test_models_of_pytorch_are_read_audited_and_polished(expected, models, tmp_path):
    one = expected["sequential-float64.safetensors"]
    X, y = np.array(one["samples"]), np.array(one["outputs"])
    model = gradcert.Model.load(models / "sequential-float64.safetensors", one["activation"])
    assert np.allclose(model.outputs(X), y.reshape(len(X), -1), rtol=0, atol=1e-12)
    audit = gradcert.audit(model, X, y)
    assert audit.certified and audit.convergence and audit.distance < 1e-10
    far = y + 0.5
    with pytest.raises(gradcert.Declined) as declined:
        gradcert.audit(model, X, 100 * far)
    assert declined.value.codes == ("residual_too_large",)
    polished = gradcert.polish(model, X, far)
    assert polished.reports[0]["residual_after"] < 1e-12 < polished.reports[0]["residual_before"]
    assert gradcert.audit(polished.model, X, far).certified
    polished.model.save_state_dict(tmp_path / "p.safetensors")
    again = gradcert.Model.load(tmp_path / "p.safetensors", one["activation"])
    assert np.array_equal(again.outputs(X), polished.model.outputs(X))


def test_the_kernel_is_the_gram_matrix_of_the_jacobian():
    random = np.random.default_rng(2)
    W, b, v = random.standard_normal((5, 3)), random.standard_normal(5), random.standard_normal((1, 5))
    X = random.standard_normal((4, 3))
    kernel = gradcert.tangent_kernel(gradcert.Model.from_layers([W, v], [b, np.zeros(1)], "tanh"), X)
    hidden = np.tanh(X @ W.T + b)
    slopes = v * (1 - hidden**2)
    exact = (slopes @ slopes.T) * (X @ X.T + 1) + hidden @ hidden.T + 1
    assert np.allclose(kernel.matrix, exact, rtol=1e-12)
    smallest = np.linalg.eigvalsh(exact)[0]
    assert kernel.lmin_lower is not None and 0.9 * smallest < kernel.lmin_lower <= smallest * (1 + 1e-9)


def test_limit_kernels():
    X = np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 0.6, -0.8]])
    first = gradcert.limit_kernel(X)
    cosines = X @ X.T
    exact = cosines * (np.pi - np.arccos(np.clip(cosines, -1, 1))) / (2 * np.pi)
    assert np.allclose(first.matrix, exact, atol=1e-15) and first.error_estimate is None
    smallest = np.linalg.eigvalsh(exact)[0]
    assert first.lmin_lower is not None and smallest - 1e-12 < first.lmin_lower <= smallest
    deep = gradcert.limit_kernel(2 * X, "fc", normalize=True)
    assert abs(deep.matrix[0, 1] - 0.27388004) < 1e-8 and deep.error_estimate < 1e-12
    image = gradcert.limit_kernel(X, "conv-resnet", depth=3, residual_scale=0.9, channels=3)
    assert np.allclose(image.matrix, gradcert.limit_kernel(X, "resnet", depth=3, residual_scale=0.9).matrix, atol=1e-14)
    with pytest.raises(gradcert.DataError):
        gradcert.limit_kernel(np.zeros((2, 3)), normalize=True)
    with pytest.raises(gradcert.UsageError):
        gradcert.limit_kernel(X, "other")
    with pytest.raises(gradcert.UsageError):
        gradcert.limit_kernel(X, "fc", activation="none")


def test_the_criterion():
    verdict = gradcert.criterion("(x^2 + y^2 - 1)^2", {"x": 1.1, "y": 0.0})
    assert verdict.certified and verdict.step_size > 0 and "descent-sharp" in verdict.certified_by
    with pytest.raises(gradcert.Declined) as declined:
        gradcert.criterion("x^2 + 1", {"x": 0.5})
    assert declined.value.codes
    with pytest.raises(gradcert.FormulaError):
        gradcert.criterion("x +* 2", {"x": 1.0})
    with pytest.raises(gradcert.FormulaError):
        gradcert.criterion("x^2", {"x": float("nan")})


def test_widths_of_relu_networks(tmp_path):
    random = np.random.default_rng(0)
    X = random.standard_normal((4, 10))
    X, y = X / np.linalg.norm(X, axis=1, keepdims=True), np.array([1.0, -1.0, 0.5, 0.2])
    width = gradcert.relu_width(X, y, tol=1e-6, max_width=100_000)
    assert width.certified and f"width {width.width}" in repr(width)
    assert gradcert.relu_width(X, y, tol=1e-6, width=width.width).certified_iterations == width.certified_iterations
    assert width.check(X, y).problems
    width.save(tmp_path / "w.json")
    assert gradcert.check(tmp_path / "w.json", X, y) == width.check()
    with pytest.raises(gradcert.Declined) as declined:
        gradcert.relu_width(X, y, tol=1e-6, width=2)
    assert set(declined.value.codes) <= set(gradcert.exceptions.REMEDIES)
    with pytest.raises(gradcert.UsageError):
        gradcert.relu_width(X, np.stack([y, y**2], axis=1))


def test_inspection(small):
    X, y = small
    about = gradcert.inspect(X, y)
    assert about["samples"] == 12 and about["affinely_independent"]
    assert 0 < about["smin_lower"] <= np.linalg.svd(X, compute_uv=False)[-1]


def test_bundled_data():
    X, y = gradcert.load_bundled("khan")
    assert X.shape == (63, 2308) and len(set(y)) == 4
    with pytest.raises(gradcert.DataError):
        gradcert.load_bundled("iris")


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        (lambda X, y: (np.where(X == X[0, 0], np.nan, X), y), gradcert.DataError, "nan"),
        (lambda X, y: (np.where(X == X[0, 0], np.inf, X), y), gradcert.DataError, "infinite"),
        (lambda X, y: (X * 1e200, y), gradcert.DataError, "huge"),
        (lambda X, y: (X[:0], y[:0]), gradcert.DataError, "empty"),
        (lambda X, y: (X[:, :0], y), gradcert.DataError, "empty"),
        (lambda X, y: (X[:1], y[:1]), gradcert.DataError, "too_few_samples"),
        (lambda X, y: (X, y * 0), gradcert.DataError, "constant_target"),
        (lambda X, y: (X, y[:-1]), gradcert.DataError, "shape"),
        (lambda X, y: (X[0], y), gradcert.DataError, "shape"),
        (lambda X, y: (X + 1j, y), gradcert.DataError, "complex"),
        (lambda X, y: (X.astype(str), y), gradcert.DataError, "non_numeric"),
        (lambda X, y: (np.vstack([X, X]), np.concatenate([y, y + 1])), gradcert.DataError, "duplicate_conflict"),
        (lambda X, y: (np.vstack([X, X]), np.concatenate([y, y])), gradcert.Declined, "duplicate_rows"),
        (lambda X, y: (X, np.where(y == y[0], np.nan, y)), gradcert.DataError, "nan"),
    ],
)
def test_bad_data_have_a_code(small, change, error, code):
    X, y = change(*small)
    with pytest.raises(error) as raised:
        gradcert.certify(X, y)
    assert raised.value.code == code and raised.value.message


@pytest.mark.parametrize(
    "options",
    [
        {"activation": "relu"},
        {"start": "zero"},
        {"scale": "large"},
        {"scale": -1.0},
        {"scale": float("nan")},
        {"tol": 0.0},
        {"tol": float("inf")},
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": (0,)},
        {"layer_steps": "slow"},
        {"method": "blunt"},
        {"trained": "none"},
        {"lift": "polynomial"},
        {"n_jobs": 0},
        {"on_decline": "ignore"},
        {"method": "paper", "start": "lecun"},
        {"random_state": -1},
    ],
)
def test_bad_options_are_usage_errors(small, options):
    with pytest.raises(gradcert.UsageError):
        gradcert.certify(*small, **options)


def test_too_large_networks_are_refused_before_they_are_made(small):
    with pytest.raises(gradcert.ResourceLimitError):
        gradcert.certify(*small, hidden_layer_sizes=(1_000_000, 1_000_000))


def test_a_panic_is_an_exception_and_prints_nothing(capfd):
    with pytest.raises(gradcert.BugError, match="a panic on purpose"):
        _gradcert._panic()
    assert capfd.readouterr().err == ""


def test_other_threads_run_while_something_is_computed():
    """The GIL is released: this thread counts on while another one certifies."""
    random = np.random.default_rng(3)
    X, y = random.standard_normal((300, 400)), random.standard_normal(300)
    worker = threading.Thread(target=lambda: gradcert.certify(X, y, n_jobs=1))
    started = time.perf_counter()
    worker.start()
    longest, last = 0.0, started
    while worker.is_alive():
        time.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    assert longest < 0.5 * (last - started)


INTERRUPTED = """
import _thread, threading, time
import numpy as np, gradcert
random = np.random.default_rng(0)
X, y = random.standard_normal((60, 80)), random.standard_normal(60)
threading.Timer(1.0, _thread.interrupt_main).start()
begin = time.perf_counter()
try:
    gradcert.train(X, y, step_size=1e-12, max_iter=10**12, audit=False)
except KeyboardInterrupt:
    print("interrupted", time.perf_counter() - begin < 5.0)
"""


def test_ctrl_c_interrupts():
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["interrupted", "True"]


def test_progress_is_told_and_may_raise(small):
    seen = []
    gradcert.train(*small, whiten=False, progress=lambda *event: seen.append(event))
    assert seen and all(isinstance(what, str) and step >= 0 for what, step, _ in seen)

    def stop(what, step, size):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        gradcert.train(*small, whiten=False, progress=stop)


def test_results_do_not_depend_on_threads(small):
    texts = {gradcert.certify(*small, n_jobs=k).text for k in (1, 2)}
    assert len(texts) == 1

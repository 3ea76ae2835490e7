import pickle
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris, make_regression
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import gradcert
from gradcert import CertifiedClassifier, CertifiedRegressor


@parametrize_with_checks([CertifiedClassifier(), CertifiedRegressor()])
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_a_fit_has_its_proof(leukaemia):
    X, y = leukaemia
    classifier = CertifiedClassifier().fit(X, y)
    assert classifier.certificate_.certified and classifier.audit_.certified
    assert classifier.n_iter_ <= classifier.certified_iterations_
    assert classifier.loss_ <= 1e-20 and classifier.loss_curve_[-1] == classifier.loss_
    assert classifier.score(X, y) == 1.0
    assert classifier.coefs_[0].shape == (3051, 32) and classifier.intercepts_[-1].shape == (1,)
    assert classifier.certificate_.problems[0]["problem"] == "AML versus ALL"
    classifier.certificate_.check(X, y)
    classifier.audit_.check(X, y)


def test_several_classes_are_several_networks(tmp_path):
    X, y = gradcert.load_bundled("khan")
    test, truth = gradcert.load_bundled("khan-test")
    classifier = CertifiedClassifier(hidden_layer_sizes=(8,)).fit(X, y)
    assert len(classifier.coefs_) == 4 and classifier.decision_function(test).shape == (20, 4)
    assert np.mean(classifier.predict(test) == truth) >= 0.9
    again = pickle.loads(pickle.dumps(classifier))
    assert np.array_equal(again.decision_function(test), classifier.decision_function(test))
    classifier.certificate_.save(tmp_path / "certificate.json")
    assert len(gradcert.check(tmp_path / "certificate.json", X, y).problems) == 4


def test_several_outputs():
    X, y = make_regression(15, 30, n_targets=3, random_state=0)
    regressor = CertifiedRegressor().fit(X, y)
    assert regressor.predict(X).shape == (15, 3)
    assert np.allclose(regressor.predict(X), y, rtol=1e-6, atol=1e-6 * np.abs(y).max())


def test_more_samples_than_features_are_lifted_by_themselves():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(gradcert.Declined):
        CertifiedClassifier(lift=None).fit(X, y)
    classifier = CertifiedClassifier(tol=1e-12).fit(X, y)
    assert classifier.certificate_.recipe.lift.startswith("fourier:300:0:")
    assert classifier.score(X, y) == 1.0


def test_what_is_declined_is_trained_with_a_warning():
    X, y = load_iris(return_X_y=True)
    estimator = CertifiedClassifier(lift=None, on_decline="train", activation="tanh", tol=1e-4, max_iter=300)
    with pytest.warns(gradcert.UncertifiedWarning, match="dependent_inputs"):
        classifier = estimator.fit(X, y)
    assert classifier.certified_iterations_ is None and not classifier.certificate_.certified
    assert classifier.audit_ is not None and classifier.score(X, y) > 0.9


def test_composition_with_scikit_learn(leukaemia):
    X, y = leukaemia
    pipeline = make_pipeline(StandardScaler(), CertifiedClassifier(hidden_layer_sizes=(8,)))
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.8
    grid = {"certifiedclassifier__activation": ["tanh", "softplus"]}
    search = GridSearchCV(clone(pipeline), grid, cv=2, n_jobs=2).fit(X[:, :200], y)
    assert search.best_params_["certifiedclassifier__activation"] in ("tanh", "softplus")


def test_sparse_input_is_refused_clearly():
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        CertifiedClassifier().fit(sparse.csr_array(np.eye(4)), [0, 1, 0, 1])
    with pytest.raises(gradcert.DataError, match="sparse"):
        gradcert.certify(sparse.csr_array(np.eye(4)), [0.0, 1.0, 0.0, 1.0])


def test_duplicates_are_merged_and_contradictions_refused():
    X, y = np.random.default_rng(0).standard_normal((6, 9)), np.arange(6.0)
    doubled = CertifiedRegressor().fit(np.vstack([X, X]), np.concatenate([y, y]))
    assert np.allclose(doubled.predict(X), y, atol=1e-8)
    with pytest.raises(gradcert.DataError, match="equal features"):
        CertifiedRegressor().fit(np.vstack([X, X]), np.concatenate([y, y + 1.0]))


def test_unfitted_and_wrong_parameters():
    with pytest.raises(NotFittedError):
        CertifiedRegressor().predict(np.eye(2))
    for parameters in ({"on_decline": "ignore"}, {"start": "zero"}, {"scale": "tiny"}, {"n_jobs": 0}):
        with pytest.raises(gradcert.UsageError):
            CertifiedRegressor(**parameters).fit(np.eye(3), np.arange(3.0))


def test_the_same_fit_twice(leukaemia):
    X, y = leukaemia
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, two = (CertifiedClassifier(n_jobs=k).fit(X, y) for k in (1, 2))
    assert np.array_equal(one.coefs_[0], two.coefs_[0]) and one.certificate_ == two.certificate_

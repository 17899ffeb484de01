"""Every classical model of conf/model/, through the public entry points."""

import logging
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.sparse import csr_matrix
from sklearn.datasets import make_blobs

from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.data.prepared import Part
from crossover.models.base import Complexity, FitHooks, Model

MODELS = Path(__file__).parents[2] / "conf" / "model"
NODES = {
    path.stem: config
    for path in sorted(MODELS.glob("*.yaml"))
    if (config := yaml.safe_load(path.read_text()))["_target_"].startswith("crossover.models.classical.")
}
SKLEARN = [name for name, node in NODES.items() if "estimator" in node]
BOOSTING = [name for name, config in NODES.items() if "early_stopping_rounds" in config]
ENSEMBLES = [name for name in SKLEARN if "n_estimators" in NODES[name]["estimator"]]


def node(name: str, **overrides: object) -> dict:
    """A model's YAML with some values changed; those of the nested estimator where there is one."""
    changed = yaml.safe_load((MODELS / f"{name}.yaml").read_text())
    if "n_jobs" in changed:
        changed["n_jobs"] = 1  # XGBoost's threads wait for each other at every level of these tiny trees
    for key, value in overrides.items():
        (changed if key in changed else changed["estimator"])[key] = value
    return changed


def make(name: str, **overrides: object) -> Model:
    if name in ENSEMBLES:  # small ones, which take a fifth of the time
        overrides = {"n_estimators": 20} | overrides
    if name in BOOSTING:  # of a fixed length, which needs no validation part
        overrides = {"early_stopping_rounds": None, "n_estimators": 100} | overrides
    return build(node(name, **overrides), f"conf/model/{name}.yaml")


def blobs(n_classes: int, n: int = 120, spread: float = 7.0) -> Part:
    """Overlapping clouds, so that probabilities differ from 0 and 1 and random choices show; no value is negative."""
    X, y = make_blobs(n, n_features=6, centers=n_classes, cluster_std=spread, random_state=7)
    return Part((X + 5 * spread + 10).astype(np.float32), y.astype(np.int64), n_classes)


def counts(n_classes: int, n: int = 120) -> Part:
    """A sparse matrix as of words: not negative, mostly 0, each class with columns of its own."""
    rng = np.random.default_rng(7)
    y = np.arange(n) % n_classes
    X = (rng.random((n, 30)) * (rng.random((n, 30)) < 0.15)).astype(np.float32)
    X[np.arange(n), y * 5 + rng.integers(0, 5, n)] += 0.7
    return Part(csr_matrix(X), y.astype(np.int64), n_classes)


def proba(model: Model, part: Part, seed: int = 0) -> np.ndarray:
    fresh = blobs(len(np.unique(part.y)), n=50).X
    return model.fit(part, None, seed=seed).predict_proba(fresh)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", [name for name, config in NODES.items() if "text" in config["modalities"]])
def test_every_model_of_texts_takes_sparse_features(name: str, n_classes: int, tmp_path: Path) -> None:
    part = counts(n_classes)
    model = make(name)
    model.warm_up(part)
    model.fit(part, None, seed=0)
    found = model.predict_proba(part.X)
    assert (found.argmax(axis=1) == part.y).mean() > 0.8
    if name != "xgboost":  # which takes what is not stored for missing
        np.testing.assert_allclose(found, model.predict_proba(csr_matrix(part.X).toarray()), atol=1e-6)
    model.save(tmp_path)
    np.testing.assert_array_equal(type(model).load(tmp_path).predict_proba(part.X[:1]), found[:1])


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_boosted_trees_split_codes_as_categories(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 40, 2000)
    X = np.column_stack([rng.normal(size=2000), codes]).astype(np.float32)
    y = rng.integers(0, 2, 40)[codes]  # the order of the codes says nothing
    whole = Part(X, y, 2, n_codes=1)
    train, test = whole.take(np.arange(1500)), whole.take(np.arange(1500, 2000))
    right = {}
    for part in (train, Part(train.X, train.y, 2)):
        model = make(name, n_estimators=3, learning_rate=1.0, max_depth=2).fit(part, None, seed=0)
        right[part.n_codes] = (model.predict_proba(test.X).argmax(axis=1) == test.y).mean()
        if part.n_codes:
            model.save(tmp_path)
            again = type(model).load(tmp_path).predict_proba(test.X)
            np.testing.assert_array_equal(again, model.predict_proba(test.X))
            unseen = np.array([[0.0, 41.0]], dtype=np.float32)
            assert np.isfinite(model.predict_proba(unseen)).all()
    assert right[1] > 0.95
    assert right[0] < 0.8


def test_conf_holds_the_classical_models() -> None:
    assert {"logistic_regression", "random_forest", "svm", "xgboost"} <= set(NODES)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", NODES)
class TestEveryModel:
    def test_gives_probabilities(self, name: str, n_classes: int) -> None:
        model = make(name)
        found = proba(model, blobs(n_classes))
        assert model.family == "classical"
        assert found.shape == (50, n_classes)
        assert found.min() >= 0
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
        assert len(np.unique(found.argmax(axis=1))) == n_classes

    def test_repeats_a_seed_bit_for_bit(self, name: str, n_classes: int) -> None:
        part = blobs(n_classes)
        np.testing.assert_array_equal(proba(make(name), part, seed=3), proba(make(name), part, seed=3))

    def test_a_second_fit_forgets_the_first(self, name: str, n_classes: int) -> None:
        model = make(name)
        proba(model, blobs(n_classes, n=60), seed=1)
        part = blobs(n_classes)
        np.testing.assert_array_equal(proba(model, part, seed=3), proba(make(name), part, seed=3))

    def test_another_seed_matters_only_where_the_model_says_so(self, name: str, n_classes: int) -> None:
        part = blobs(n_classes)
        model = make(name)
        first = proba(model, part, seed=0)
        same = [np.array_equal(first, proba(make(name), part, seed=seed)) for seed in range(1, 6)]
        assert not all(same) if model.stochastic else all(same)

    def test_predicts_the_same_after_loading(self, name: str, n_classes: int, tmp_path: Path) -> None:
        model = make(name)
        expected = proba(model, blobs(n_classes))
        model.save(tmp_path)
        loaded = type(model).load(tmp_path)
        np.testing.assert_array_equal(loaded.predict_proba(blobs(n_classes, n=50).X), expected)
        assert (loaded.modalities, loaded.stochastic) == (model.modalities, model.stochastic)
        assert loaded.complexity() == model.complexity()
        assert model.complexity().count > 0

    def test_gives_an_absent_class_probability_zero(self, name: str, n_classes: int, tmp_path: Path) -> None:
        present = blobs(n_classes)
        part = Part(present.X, present.y * 2, 2 * n_classes)  # classes 1, 3, … have no example
        model = make(name)
        found = proba(model, part)
        np.testing.assert_array_equal(found[:, 1::2], 0)
        np.testing.assert_array_equal(found[:, ::2], proba(make(name), present))
        model.save(tmp_path)
        assert type(model).load(tmp_path).predict_proba(present.X).shape == (120, 2 * n_classes)


class TestComplexity:
    """Of 120 examples with 6 features; counts by hand or by another function of the library."""

    @pytest.mark.parametrize(("n_classes", "count"), [(2, 6 + 1), (3, 3 * 6 + 3)])
    def test_a_linear_model_has_weights_and_intercepts(self, n_classes: int, count: int) -> None:
        model = make("logistic_regression").fit(blobs(n_classes), None, seed=0)
        assert model.complexity() == Complexity(count, "parameters")

    def test_neighbours_store_their_examples(self) -> None:
        model = make("k_nearest_neighbors").fit(blobs(3), None, seed=0)
        assert model.complexity() == Complexity(120 * 6, "stored values")

    @pytest.mark.parametrize("name", ["decision_tree", "random_forest", "extra_trees"])
    def test_a_binary_tree_has_one_node_less_than_twice_its_leaves(self, name: str) -> None:
        model = make(name).fit(blobs(3), None, seed=0)
        trees = getattr(model._fitted, "estimators_", [model._fitted])  # type: ignore[attr-defined]
        leaves = [tree.get_n_leaves() for tree in trees]
        assert model.complexity() == Complexity(2 * sum(leaves) - len(leaves), "nodes")

    @pytest.mark.parametrize("early_stopping_rounds", [None, 2])
    def test_boosted_trees_count_every_node_that_is_stored(self, early_stopping_rounds: int | None) -> None:
        model = make("xgboost", n_estimators=20, early_stopping_rounds=early_stopping_rounds)
        model.fit(blobs(3), blobs(3, n=30), seed=0)
        nodes = model._classifier.get_booster().trees_to_dataframe()  # type: ignore[attr-defined]
        assert model.complexity() == Complexity(len(nodes), "nodes")

    @pytest.mark.parametrize(("pca_components", "width", "projection"), [(None, 6, 0), (2, 2, 2 * 6)])
    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_a_machine_stores_support_vectors_and_components(
        self, n_classes: int, pca_components: int | None, width: int, projection: int
    ) -> None:
        model = make("svm", pca_components=pca_components).fit(blobs(n_classes), None, seed=0)
        [fitted] = model._machine[-1].calibrated_classifiers_  # type: ignore[attr-defined]
        vectors = fitted.estimator.n_support_.sum()
        # One machine for each pair of classes: an offset each, and a weight for each of the other classes.
        weights, offsets = vectors * (n_classes - 1), n_classes * (n_classes - 1) // 2
        count = vectors * width + weights + offsets + projection
        assert model.complexity() == Complexity(count, "stored values")

    @pytest.mark.parametrize(
        ("target", "arguments", "expected"),
        [
            # 6 * 4 + 4 and 4 * 3 + 3 weights.
            ("neural_network.MLPClassifier", {"hidden_layer_sizes": [4], "max_iter": 3}, (43, "parameters")),
            # 5 rounds of 3 stumps, of 3 nodes each.
            ("ensemble.GradientBoostingClassifier", {"n_estimators": 5, "max_depth": 1}, (45, "nodes")),
            ("ensemble.HistGradientBoostingClassifier", {"max_iter": 5, "max_depth": 1}, (45, "nodes")),
            # Means and variances (3 * 6 each), and of each class its name, share and number of examples.
            ("naive_bayes.GaussianNB", {}, (3 * 6 + 3 * 6 + 3 + 3 + 3, "stored values")),
        ],
    )
    def test_any_other_classifier_of_scikit_learn_is_counted(
        self, target: str, arguments: dict, expected: tuple
    ) -> None:
        wanted = node("random_forest") | {"estimator": {"_target_": f"sklearn.{target}", **arguments}}
        model = build(wanted, "other.yaml").fit(blobs(3), None, seed=0)
        assert model.complexity() == Complexity(*expected)

    def test_members_of_different_kinds_are_counted_in_stored_values(self) -> None:
        members = [
            ["line", {"_target_": "sklearn.linear_model.LogisticRegression"}],
            ["near", {"_target_": "sklearn.neighbors.KNeighborsClassifier"}],
        ]
        voting = {"_target_": "sklearn.ensemble.VotingClassifier", "estimators": members, "voting": "soft"}
        model = build(node("random_forest") | {"estimator": voting}, "vote.yaml").fit(blobs(3), None, seed=0)
        assert model.complexity().unit == "stored values"
        assert model.complexity().count >= 21 + 720


@pytest.mark.parametrize("name", NODES)
class TestEveryModelRefuses:
    def test_a_single_class(self, name: str) -> None:
        part = blobs(2)
        with pytest.raises(CrossoverError, match=r"at least two classes, got .* class \[0\]"):
            make(name).fit(part.take(np.flatnonzero(part.y == 0)), None, seed=0)

    def test_a_misspelt_key(self, name: str) -> None:
        wrong = node(name) | {"misspelt_key": 1}
        with pytest.raises(CrossoverError, match=rf"^conf/model/{name}\.yaml.*misspelt_key"):
            build(wrong, f"conf/model/{name}.yaml")

    def test_infinite_features_in_one_sentence(self, name: str) -> None:
        part = blobs(2)
        part.X[3, 2] = np.inf
        with pytest.raises(CrossoverError, match=r"cannot be fitted: .*inf") as caught:
            make(name).fit(part, None, seed=0)
        assert "\n" not in str(caught.value)

    def test_a_file_that_is_missing(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(CrossoverError, match="does not exist"):
            type(make(name)).load(tmp_path)

    def test_a_file_that_is_broken(self, name: str, tmp_path: Path) -> None:
        model = make(name)
        model.fit(blobs(2), None, seed=0).save(tmp_path)
        for path in tmp_path.glob("model.[cstu]*"):
            path.write_bytes(path.read_bytes()[:50])
        with pytest.raises(CrossoverError, match=r"model\.(skops|ubj|txt|cbm)"):
            type(model).load(tmp_path)


@pytest.mark.parametrize("name", SKLEARN)
def test_a_misspelt_key_of_the_estimator_is_named(name: str) -> None:
    wrong = node(name)
    wrong["estimator"]["n_estimator"] = 5
    with pytest.raises(CrossoverError, match="'n_estimator'"):
        build(wrong, f"conf/model/{name}.yaml")


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("random_forest", "n_estimators", -3),
        ("extra_trees", "criterion", "ginni"),
        ("decision_tree", "max_depth", 0),
        ("logistic_regression", "C", -1.5),
        ("k_nearest_neighbors", "weights", "gaussian"),
        ("svm", "C", -2.0),
        ("svm", "gamma", "scaled"),
        ("svm", "pca_components", 0),
        ("svm", "calibration_folds", 1),
        ("xgboost", "n_estimators", -3),
        ("xgboost", "max_depth", -7),
        ("xgboost", "subsample", 2.5),
        ("xgboost", "max_bin", 1),
        ("xgboost", "tree_method", "hits"),
        ("xgboost", "device", "gpuu"),
        ("xgboost", "early_stopping_rounds", 0),
        ("lightgbm", "num_leaves", 1),
        ("lightgbm", "learning_rate", -1.0),
        ("lightgbm", "n_estimators", 0),
        ("lightgbm", "subsample", 1.5),
    ],
)
def test_a_bad_value_is_refused_in_one_sentence(name: str, key: str, value: object) -> None:
    with pytest.raises(CrossoverError, match=str(value)) as caught:
        make(name, **{key: value}).fit(blobs(3), None, seed=0)
    assert key in str(caught.value) or key == "tree_method"  # XGBoost lists the valid methods without the key
    assert "\n" not in str(caught.value)
    assert "Check failed" not in str(caught.value)


@pytest.mark.parametrize("name", ["logistic_regression", "k_nearest_neighbors", "svm"])
def test_missing_values_are_refused_in_one_sentence(name: str) -> None:
    part = blobs(2)
    part.X[0, 0] = np.nan
    with pytest.raises(CrossoverError, match=r"cannot be fitted: Input X contains NaN;"):
        make(name).fit(part, None, seed=0)
    fitted = make(name).fit(blobs(2), None, seed=0)
    with pytest.raises(CrossoverError, match="cannot predict: Input X contains NaN"):
        fitted.predict_proba(part.X)


class TestSklearnClassifier:
    def test_takes_a_pipeline_from_yaml_alone(self) -> None:
        node = yaml.safe_load("""
            _target_: crossover.models.classical.sklearn_model.SklearnClassifier
            modalities: [table]
            stochastic: true
            estimator:
              _target_: sklearn.pipeline.Pipeline
              steps:
              - [reduce, {_target_: sklearn.decomposition.PCA, n_components: 2, svd_solver: randomized}]
              - [classify, {_target_: sklearn.neural_network.MLPClassifier, max_iter: 5}]
            """)
        part = blobs(3)
        first, again, other = (proba(build(node, "mlp.yaml"), part, seed=seed) for seed in (0, 0, 1))
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)

    def test_refuses_a_class_without_probabilities(self) -> None:
        wrong = node("random_forest") | {"estimator": {"_target_": "sklearn.svm.LinearSVC"}}
        with pytest.raises(CrossoverError, match=r"^linear\.yaml: .*predict_proba, got LinearSVC"):
            build(wrong, "linear.yaml")

    def test_standardizes_by_the_training_part(self) -> None:
        part = blobs(3)
        stretched = Part(part.X * np.float32(2) ** np.arange(-9, 9, 3), part.y, 3)
        model = make("k_nearest_neighbors", standardize=True).fit(part, None, seed=0)
        on_stretched = make("k_nearest_neighbors", standardize=True).fit(stretched, None, seed=0)
        np.testing.assert_array_equal(model.predict_proba(part.X), on_stretched.predict_proba(stretched.X))

    def test_logs_a_fit_that_did_not_converge(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING):
            make("logistic_regression", max_iter=1).fit(blobs(3), None, seed=0)
        assert [record.message for record in caplog.records if "converge" in record.message]

    def test_one_nearest_neighbour_remembers_its_training_part(self) -> None:
        part = blobs(3)
        model = make("k_nearest_neighbors", n_neighbors=1).fit(part, None, seed=0)
        np.testing.assert_array_equal(model.predict_proba(part.X).argmax(axis=1), part.y)


@pytest.mark.parametrize("value", [True, False, 10**27, -(10**27)])
@pytest.mark.parametrize("name", ["random_forest", "extra_trees", "gradient_boosting", "xgboost", "lightgbm"])
def test_a_number_of_trees_that_is_none(name: str, value: int) -> None:
    config = node(name)
    config.get("estimator", config)["n_estimators"] = value
    with pytest.raises(
        CrossoverError, match=rf"{name}.yaml.*n_estimators must|n_estimators must .*{name}.yaml"
    ):
        build(config, f"conf/model/{name}.yaml")


class TestSupportVectorMachine:
    @pytest.mark.parametrize("n_classes", [2, 3, 7])
    @pytest.mark.parametrize("pca_components", [None, 2])
    def test_its_most_probable_class_is_the_machines_decision(
        self, n_classes: int, pca_components: int
    ) -> None:
        from sklearn.decomposition import PCA
        from sklearn.pipeline import make_pipeline
        from sklearn.svm import SVC

        part, fresh = blobs(n_classes), blobs(n_classes, n=500, spread=9.0)
        svc = SVC(C=10.0, decision_function_shape="ovr", break_ties=True)
        reference = (
            make_pipeline(PCA(pca_components, svd_solver="covariance_eigh"), svc) if pca_components else svc
        )
        model = make("svm", pca_components=pca_components).fit(part, None, seed=0)
        found = model.predict_proba(fresh.X)
        np.testing.assert_array_equal(found.argmax(axis=1), reference.fit(part.X, part.y).predict(fresh.X))
        for one in range(20):  # one example at a time gives the same
            np.testing.assert_allclose(model.predict_proba(fresh.X[one : one + 1])[0], found[one], atol=1e-6)

    def test_takes_fewer_components_where_the_data_have_fewer(self) -> None:
        part = blobs(2)
        np.testing.assert_array_equal(
            proba(make("svm", pca_components=6), part), proba(make("svm", pca_components=500), part)
        )
        assert proba(make("svm"), part.take(np.arange(5))).shape == (50, 2)  # fewer examples than features

    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_a_class_with_one_example(
        self, n_classes: int, caplog: pytest.LogCaptureFixture, tmp_path: Path
    ) -> None:
        part = blobs(n_classes)
        few = part.take(np.r_[np.flatnonzero(part.y == 0)[:1], np.flatnonzero(part.y > 0)])
        with caplog.at_level(logging.WARNING):
            model = make("svm")
            found = proba(model, few)
        assert "not calibrated" in caplog.text
        np.testing.assert_allclose(found.sum(axis=1), 1)
        model.save(tmp_path)
        np.testing.assert_array_equal(
            type(model).load(tmp_path).predict_proba(blobs(n_classes, n=50).X), found
        )

    def test_a_class_with_two_examples_is_calibrated(self, caplog: pytest.LogCaptureFixture) -> None:
        part = blobs(3)
        few = part.take(np.r_[np.flatnonzero(part.y == 0)[:2], np.flatnonzero(part.y > 0)])
        assert proba(make("svm"), few).shape == (50, 3)
        assert "not calibrated" not in caplog.text


@pytest.mark.parametrize("name", BOOSTING)
class TestBoosting:
    def test_watching_a_validation_part_does_not_change_the_fit(self, name: str) -> None:
        part, rounds = blobs(3), []
        hooks = FitHooks(on_epoch=lambda epoch, metrics: rounds.append((epoch, metrics["val/accuracy"])))
        model = make(name, n_estimators=7, n_jobs=1)
        watched = model.fit(part, blobs(3, n=30), seed=0, hooks=hooks).predict_proba(part.X)
        plain = make(name, n_estimators=7, n_jobs=1).fit(part, None, seed=0).predict_proba(part.X)
        assert np.array_equal(watched, plain)
        assert (
            [epoch for epoch, _ in rounds]
            == list(range(7))
            == list(range(model.planned_epochs(len(part)) or 0))
        )

    def test_subsampling_draws_random_numbers(self, name: str) -> None:
        part = blobs(3)
        model = make(name, **({"bagging_temperature": 5.0} if name == "catboost" else {"subsample": 0.5}))
        assert model.stochastic
        assert not np.array_equal(proba(model, part, seed=0), proba(model, part, seed=1))

    def test_the_number_of_threads_changes_nothing(self, name: str) -> None:
        part = blobs(3, n=2000)
        np.testing.assert_array_equal(
            proba(make(name, n_estimators=10, n_jobs=1), part),
            proba(make(name, n_estimators=10, n_jobs=2), part),
        )

    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_early_stopping_tells_each_round_and_keeps_the_best(
        self, name: str, n_classes: int, tmp_path: Path
    ) -> None:
        part, val = blobs(n_classes, spread=6.0), blobs(n_classes, n=80, spread=6.0)
        reported: list[tuple[int, dict[str, float]]] = []
        model = make(name, early_stopping_rounds=3, learning_rate=1.0)
        model.fit(
            part, val, seed=0, hooks=FitHooks(on_epoch=lambda step, metrics: reported.append((step, metrics)))
        )
        assert model.selects
        assert [entry["epoch"] for entry in model.history] == list(range(len(model.history)))
        assert [{"epoch": step, **metrics} for step, metrics in reported] == model.history
        losses = [entry["val/loss"] for entry in model.history]
        best = int(np.argmin(losses))
        assert len(losses) == best + 1 + 3 < 100
        found = model.predict_proba(val.X)
        truth = np.clip(found[np.arange(len(val)), val.y], 1e-16, 1)
        assert -np.log(truth).mean() == pytest.approx(losses[best], rel=1e-4)
        assert (found.argmax(axis=1) == val.y).mean() == pytest.approx(model.history[best]["val/accuracy"])
        model.save(tmp_path)
        np.testing.assert_array_equal(type(model).load(tmp_path).predict_proba(val.X), found)

    def test_early_stopping_with_a_class_that_only_validation_holds(self, name: str) -> None:
        part = blobs(3)
        two = part.take(np.flatnonzero(part.y != 1))
        model = make(name, early_stopping_rounds=2).fit(two, part, seed=0)
        assert model.predict_proba(part.X)[:, 1].max() == 0

    def test_early_stopping_needs_a_validation_part(self, name: str) -> None:
        with pytest.raises(CrossoverError, match="early_stopping_rounds needs a validation part"):
            make(name, early_stopping_rounds=2).fit(blobs(2), None, seed=0)


class TestXGBoost:
    def test_a_gpu_that_is_not_there_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("crossover.models.classical.xgboost_model._gpu_name", lambda number: None)
        with pytest.raises(CrossoverError, match="device cuda:1 needs an NVIDIA GPU"):
            make("xgboost", device="cuda:1").fit(blobs(2), None, seed=0)

    @pytest.mark.gpu
    def test_fits_on_a_gpu_and_predicts_on_the_cpu(self, tmp_path: Path) -> None:
        model = make("xgboost", device="cuda").fit(blobs(3), None, seed=0)
        assert model.device.startswith("cuda: ")
        model.save(tmp_path)
        found = type(model).load(tmp_path).predict_proba(blobs(3, n=50).X)
        np.testing.assert_allclose(found, proba(make("xgboost"), blobs(3)), atol=0.05)

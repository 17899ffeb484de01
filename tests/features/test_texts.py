"""Features of texts."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from crossover.core.configuration import load_fitted
from crossover.core.errors import CrossoverError
from crossover.data.prepared import Part
from crossover.features.base import Features
from crossover.stages.featurize import featurize

WORDS = {"_target_": "crossover.features.words.TfIdf"}


def texts(*given: str) -> Part:
    X = np.array(given, dtype=object)
    return Part(X, np.arange(len(X)) % 2, 2)


def test_words_are_those_of_the_training_part_weighted_as_scikit_learn_does(make_set) -> None:
    train = texts("a cat sat", "A CAT ran", "the dog sat", "the dog")
    features = make_set("words").fit(train)
    X = features.transform(train.X)
    assert isinstance(X, csr_matrix)
    expected = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\w+")
    np.testing.assert_allclose(X.toarray(), expected.fit_transform(train.X).toarray(), atol=1e-6)
    assert features.names() == ["words (7)"]
    unseen = features.transform(np.array(["zebra", "cat zebra"], dtype=object))
    assert unseen[0].nnz == 0
    assert unseen[1].nnz == 1


def test_words_and_characters_stand_side_by_side(make_set) -> None:
    train = texts("one two", "two one", "one two three", "three")
    both, *single = (make_set(name).fit(train) for name in ("words_chars", "words", "chars"))
    X = [features.transform(train.X).toarray() for features in (both, *single)]
    np.testing.assert_array_equal(X[0], np.hstack(X[1:]))


def test_the_number_of_words_is_bounded(make_set) -> None:
    train = texts(*(f"w{k} w{k} common" for k in range(20)))
    assert make_set("words", words__most=5, words__least_texts=1).fit(train).names() == ["words (5)"]


def test_words_that_are_all_rare_are_kept(make_set) -> None:
    assert make_set("words", words__longest=1).fit(texts("one", "two")).names() == ["words (2)"]


def test_texts_without_words_are_refused(make_set) -> None:
    with pytest.raises(CrossoverError, match="texts must hold words to count, got none in 2 texts"):
        make_set("words").fit(texts("!", "?"))


def test_nothing_to_count_is_refused(make_set) -> None:
    with pytest.raises(CrossoverError, match=r"words\.yaml: words or chars must be given"):
        make_set("words", words=None)


def test_what_a_person_would_look_at(make_set) -> None:
    features = make_set("text_handcrafted")
    train = texts("WIN £100 now!! call 0800123 or www.x.com", "ok", "")
    found = dict(zip(features.names(), features.fit(train).transform(train.X).T, strict=True))
    assert {
        name: values.tolist() for name, values in found.items() if name in ("words", "money", "numbers")
    } == {
        "words": [7, 1, 0],
        "money": [1, 0, 0],
        "numbers": [2, 0, 0],
    }
    assert found["exclamation marks"][0] == 2
    assert found["long numbers"][0] == 1
    assert found["web addresses"][0] == 1
    assert found["share of words in capitals"][0] == pytest.approx(1 / 7)
    assert found["share of digits"][0] == pytest.approx(10 / 40)
    assert np.isfinite(np.array(list(found.values()))).all()


def test_a_pattern_that_is_none_is_named(make_set) -> None:
    with pytest.raises(
        CrossoverError, match=r"counts.*must be a regular expression, got '\('.*text_handcrafted"
    ):
        make_set("text_handcrafted", counts={"broken": "("})


def test_sparse_features_lie_on_disk_as_they_are(make_set, prepare, layout) -> None:
    train, test = texts(*["red apple", "green pear"] * 6), texts("red pear", "blue")
    prepare("fruit", train, test)
    featurize("fruit", "words", make_set("words"), WORDS, layout, jobs=1)
    features = Features(layout.features("fruit", "words"))
    fitted = make_set("words").fit(train)
    assert features.meta.applicable
    assert features.meta.learns
    for part, X in (("train", train.X), ("test", test.X)):
        stored = features.matrix(part)  # type: ignore[arg-type]
        assert isinstance(stored, csr_matrix)
        np.testing.assert_array_equal(stored.toarray(), fitted.transform(X).toarray())
    loaded = load_fitted(features.featurizer, "dvc repro")
    np.testing.assert_array_equal(
        loaded.transform(test.X).toarray(), csr_matrix(features.matrix("test")).toarray()
    )
    (layout.features("fruit", "words") / "test" / "0" / "X.npz").write_bytes(b"half")
    with pytest.raises(CrossoverError, match=r"X\.npz is broken"):
        features.matrix("test")


def test_pixels_and_columns_are_no_features_of_texts(make_set, prepare, layout) -> None:
    prepare("fruit", texts("a b", "c d"), texts("a", "c"))
    featurize("fruit", "raw", make_set("raw"), {}, layout, jobs=1)
    meta = Features(layout.features("fruit", "raw")).meta
    assert (meta.applicable, meta.reason) == (
        False,
        "raw describes images and tables, fruit is a set of texts",
    )

"""Learning curves in the comparison, from the files of the stage to the report's section and figures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crossover.analysis.crossing import Crossing, Crossover, Kind
from crossover.analysis.curve_comparison import CurveComparison, compare_curves
from crossover.analysis.curves import read_curves
from crossover.core.cell import FAMILIES, LEARNED
from crossover.core.errors import CrossoverError
from crossover.report.figures.curves import draw_curves
from crossover.report.templating import phrase, render
from tests.curves_folder import DIGITS_SIZES, CurvesFolder, realistic_curves

SIZES = [20, 60, 200, 600]
TREE, LINE = [0.60, 0.70, 0.80, 0.90], [0.50, 0.60, 0.65, 0.66]
NET, DEEPER = [0.40, 0.60, 0.90, 0.96], [0.30, 0.40, 0.60, 0.70]


def compared(folder: CurvesFolder) -> CurveComparison:
    curves = read_curves(folder.study(), folder.layout, folder.dataset)
    assert curves is not None
    return compare_curves(curves)


def new_folder(root: Path, repetitions: int = 2, n_test: int = 400) -> CurvesFolder:
    return CurvesFolder(root, "fruit", SIZES, repetitions, n_test, n_classes=4)


@pytest.fixture(scope="module")
def fruit(tmp_path_factory: pytest.TempPathFactory) -> CurveComparison:
    """The net overtakes the tree between 60 and 200; it takes ten times the tree's seconds."""
    folder = new_folder(tmp_path_factory.mktemp("fruit"))
    folder.add("raw", "tree", TREE, seconds=[1, 3, 10, 30])
    folder.add("raw", "line", LINE, seconds=[1, 3, 10, 30])
    folder.add(LEARNED, "net", NET, seconds=[10, 30, 100, 300])
    folder.add(LEARNED, "deeper", DEEPER, seconds=[1, 3, 10, 30])
    folder.add_not_applicable(LEARNED, "cnn", "cnn takes images, and fruit is a table")
    return compared(folder)


@pytest.fixture(scope="module")
def section(fruit: CurveComparison) -> str:
    text = render("curves", comparison=fruit)
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def test_each_deep_curve_meets_each_classical_one(fruit: CurveComparison) -> None:
    names = [(pair.deep.label, pair.classical.label) for pair in fruit.pairs]
    assert names == [
        ("net", "tree (raw)"),
        ("net", "line (raw)"),
        ("deeper", "tree (raw)"),
        ("deeper", "line (raw)"),
    ]


def test_a_pair_crosses_where_its_difference_is_zero(fruit: CurveComparison) -> None:
    # -20, -10, +10, +6 points: half way from 60 to 200.
    crossover = fruit.pairs[0].crossover
    assert crossover.difference == pytest.approx([-0.2, -0.1, 0.1, 0.06])
    assert crossover.kind == "one crossing"
    assert crossover.crossings[0].n == pytest.approx(np.sqrt(60 * 200))


def test_the_best_of_a_family_is_chosen_on_validation_data(tmp_path: Path) -> None:
    folder = new_folder(tmp_path)
    folder.add(
        "raw", "tree", [0.9, 0.9, 0.9, 0.9], validation=[[0.5, 0.8], [0.7, 0.7], [0.7, 0.7], [0.7, 0.7]]
    )
    folder.add(
        "raw", "line", [0.6, 0.6, 0.6, 0.6], validation=[[0.6, 0.6], [0.8, 0.8], [0.7, 0.7], [0.7, 0.7]]
    )
    comparison = compared(folder)
    best = comparison.best["classical"]
    # At 200 and 600 they tie, also in log loss: the first one counts.
    assert best.chosen.tolist() == [[1, 0], [1, 1], [0, 0], [0, 0]]
    assert best.accuracy == pytest.approx(np.array([[0.6, 0.9], [0.6, 0.6], [0.9, 0.9], [0.9, 0.9]]))
    assert best.counts() == {"tree (raw)": 5, "line (raw)": 3}
    assert best.counts(size=1) == {"line (raw)": 2}
    assert best.at_largest.label == "tree (raw)"
    assert best.grid("fit_seconds")[0] == pytest.approx(20e-4)


def test_of_equal_validation_accuracies_the_lower_log_loss_counts(tmp_path: Path) -> None:
    folder = new_folder(tmp_path)
    folder.add("raw", "tree", TREE, validation=[0.7] * 4, validation_log_loss=0.5)
    folder.add("raw", "line", LINE, validation=[0.7] * 4, validation_log_loss=0.4)
    assert compared(folder).best["classical"].counts() == {"line (raw)": 8}


def test_a_higher_validation_accuracy_counts_more_than_a_lower_log_loss(tmp_path: Path) -> None:
    folder = new_folder(tmp_path)
    folder.add("raw", "tree", TREE, validation=[0.7] * 4, validation_log_loss=0.4)
    folder.add("raw", "line", LINE, validation=[0.8] * 4, validation_log_loss=0.5)
    assert compared(folder).best["classical"].counts() == {"line (raw)": 8}


def test_the_power_laws_are_those_of_the_mean_errors(tmp_path: Path) -> None:
    folder = new_folder(tmp_path, n_test=4000)
    errors = 0.05 + 1.2 * np.array(SIZES) ** -0.5
    folder.add("raw", "tree", 1 - errors)
    folder.add(LEARNED, "net", 1 - errors / 2)
    comparison = compared(folder)
    fit = comparison.fits["tree (raw)"]
    assert fit is not None
    assert (fit.a, fit.b, fit.c) == pytest.approx((0.05, 1.2, 0.5), rel=0.05)
    assert comparison.family_fits["classical"] is fit
    assert comparison.family_fits["deep"] is comparison.fits["net"]


def test_a_single_repetition_decides_nothing(tmp_path: Path) -> None:
    """Its difference may be that of its subset: another one was seen to give the opposite sign."""
    folder = new_folder(tmp_path, repetitions=1)
    folder.add("raw", "tree", TREE)
    folder.add(LEARNED, "net", NET)
    comparison = compared(folder)
    assert comparison.family is not None
    assert comparison.family.crossover.kind == "undecided"
    assert not comparison.family.crossover.has_band
    text = " ".join(render("curves", comparison=comparison).split())
    assert "| ● tree (raw) | 60.00 | 70.00 |" in text
    assert "One repetition gives no band" in text
    assert "inf" not in text
    draw_curves(tmp_path, comparison)
    assert (tmp_path / "fruit-crossover.png").exists()


def test_one_family_alone_has_no_crossover(tmp_path: Path) -> None:
    folder = CurvesFolder(tmp_path, "fruit", [20, 60, 200], n_test=100)
    folder.add("raw", "tree", TREE[:3])
    comparison = compared(folder)
    assert comparison.family is None
    assert comparison.pairs == []
    assert comparison.family_fits == {"classical": None}
    assert (comparison.fitted, comparison.next_crossing) == ([], None)
    parts = render("curves", comparison=comparison).split("\n\n")
    assert parts[1] == "No crossover: only one family has learning curves here."
    assert parts[-1].startswith("No power law")
    draw_curves(tmp_path, comparison)
    assert sorted(path.name for path in tmp_path.glob("fruit-*")) == [
        "fruit-learning-curve.csv",
        "fruit-learning-curve.png",
        "fruit-learning-curve.svg",
    ]


def test_labels_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    folder = new_folder(tmp_path)
    folder.add("raw", "tree", TREE)
    curve = compared(folder).curves.curves[0]
    (folder.folder("raw", "tree") / "largest" / "y_test.npy").unlink()
    with pytest.raises(CrossoverError, match=r"y_test\.npy does not exist"):
        curve.largest()


def test_the_section_begins_with_the_families(section: str) -> None:
    assert section.startswith(
        "### Learning curves and the crossover\n\n**Who leads at which size**: the best network overtakes"
    )
    assert "the best classical model at about 110 examples (95 % interval" in section
    assert "With 600 examples the difference, deep minus classical, is **+6.00 points** (95 % band" in section
    assert (
        "in deep learning net 8 of 8 times; in classical machine learning tree (raw) 8 of 8 times." in section
    )


def test_the_section_tables_curves_pairs_and_laws(section: str) -> None:
    assert "| ● tree (raw) | 60.00 (0.00) | 70.00 (0.00) | 80.00 (0.00) | 90.00 (0.00) |" in section
    assert "| ◆ best, chosen on validation data | 40.00 (0.00) |" in section
    pair = next(line for line in section.splitlines() if line.startswith("| ◆ net | ● tree (raw) | at 110 ["))
    assert pair.endswith("] | > 99.9 % |")
    assert "| ◆ its seconds to fit | 10 | 30 | 100 | 300 |" in section
    assert "| ● its seconds to fit | 1.0 | 3.0 | 10 | 30 |" in section
    assert "| model | a, % | c | R² | miss | doubling, % | status | accuracy at 6,000, % |" in section
    assert "- learned-cnn: cnn takes images, and fruit is a table" in section


def test_a_curve_without_a_law_is_not_extrapolated(tmp_path: Path) -> None:
    folder = new_folder(tmp_path)
    folder.add("raw", "tree", [0.9, 0.5, 0.8, 0.95])
    folder.add(LEARNED, "net", NET)
    comparison = compared(folder)
    text = " ".join(render("curves", comparison=comparison).split())
    assert "| – | not well-behaved | – |" in text  # noqa: RUF001
    assert comparison.next_crossing is not None
    assert np.isnan(comparison.next_crossing.share)
    assert "no answer, since a law does not describe its curve" in text


def test_every_figure_that_the_section_shows_is_drawn(
    tmp_path: Path, fruit: CurveComparison, section: str
) -> None:
    draw_curves(tmp_path, fruit)
    shown = [
        line.split("](figures/")[1].rstrip(")") for line in section.splitlines() if line.startswith("![")
    ]
    assert shown == ["fruit-learning-curve.png", "fruit-crossover.png"]
    for name in shown:
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / name).with_suffix(".svg").exists()
    curves = pd.read_csv(tmp_path / "fruit-learning-curve.csv")
    tree = curves[curves["series"] == "tree (raw)"]
    assert tree["n"].tolist() == SIZES
    assert tree["accuracy"].tolist() == [60, 70, 80, 90]
    assert (tree["low"] < tree["accuracy"]).all()
    assert (tree["accuracy"] < tree["high"]).all()
    differences = pd.read_csv(tmp_path / "fruit-crossover.csv")
    best = differences[differences["series"] == "best of family"]
    assert best["difference"].tolist() == [-20, -10, 10, 6]
    assert len(differences) == 5 * len(SIZES)


def test_the_extrapolation_is_drawn_a_decade_further(tmp_path: Path) -> None:
    comparison = compared(realistic_curves(tmp_path, "digits", DIGITS_SIZES, n_test=360))
    draw_curves(tmp_path, comparison)
    curves = pd.read_csv(tmp_path / "digits-learning-curve.csv")
    beyond = curves[curves["series"].str.endswith("fitted law")]
    assert set(beyond["family"]) == {"classical", "deep"}
    assert (beyond["n"].min(), beyond["n"].max()) == (1150, 11_500)
    for family in FAMILIES:
        rows, fit = beyond[beyond["family"] == family], comparison.family_fits[family]
        assert fit is not None
        assert rows["accuracy"].iloc[-1] == pytest.approx(100 * (1 - fit.predict(11_500)), abs=0.001)


def made_up(kind: Kind, signs: list[int], *crossings: Crossing) -> Crossover:
    none = np.zeros(len(signs))
    return Crossover(kind, list(crossings), np.array(SIZES), np.array(signs), none, none, none, none)


UP = Crossing(3119.0, 2410.0, 3980.0, "deep overtakes")
DOWN = Crossing(9912.0, 9800.0, 12_010.0, "classical overtakes back")


@pytest.mark.parametrize(
    ("crossover", "short", "sentence"),
    [
        (
            made_up("undecided", [0, 0, 0, 0]),
            "undecided",
            "undecided: at no size does a or b clearly lead",
        ),
        (
            made_up("from the smallest size on", [1, 1, 1, 1]),
            "deep leads from 20 on",
            "a leads at every size from 20 on",
        ),
        (
            made_up("from the smallest size on", [1, 0, 1, 0]),
            "deep leads from 20 on; undecided at 600",
            "a leads at 20 and 200, and at 60 and 600 it is undecided",
        ),
        (
            made_up("ahead from n on", [0, 0, 1, 1]),
            "deep leads from 200 on",
            "a leads from 200 examples on, and below that it is undecided",
        ),
        (
            made_up("not up to n", [-1, -1, -1, -1]),
            "not up to 600",
            "not up to 600: b leads at every size from 20 on",
        ),
        (
            made_up("not up to n", [-1, -1, 0, 0]),
            "not up to 60; undecided from 200 on",
            "not up to 60: b leads up to 60, and from 200 on it is undecided",
        ),
        (
            made_up("one crossing", [-1, 1, 1, 1], UP),
            "at 3,100 [2,400, 4,000]",
            "a overtakes b at about 3,100 examples (95 % interval 2,400 to 4,000)",
        ),
        (
            made_up("one crossing", [1, 1, 0, -1], DOWN),
            "back at 9,900 [9,800, 12,000]",
            "b overtakes a at about 9,900 examples (95 % interval 9,800 to 12,000)",
        ),
        (
            made_up("several crossings", [-1, 1, -1, 0], UP, DOWN),
            "several: at 3,100 [2,400, 4,000], back at 9,900 [9,800, 12,000]",
            "the lead changes several times: a overtakes b at about 3,100 examples (95 % interval 2,400 to 4,000); "
            "then b overtakes a at about 9,900 examples (95 % interval 9,800 to 12,000); undecided at 600",
        ),
    ],
)
def test_every_answer_has_its_words(crossover: Crossover, short: str, sentence: str) -> None:
    assert phrase("crossover_short", crossover) == short
    assert phrase("crossover_sentence", crossover, "a", "b") == sentence

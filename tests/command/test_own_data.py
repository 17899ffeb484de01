"""`crossover study` from the data to the report, as a user runs it in a clone of the project."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.project_clone import Clone

pytestmark = pytest.mark.slow  # whole studies


def verdict(clone: Clone, name: str) -> dict[str, object]:
    return dict(json.loads((clone.root / "reports" / "verdicts" / f"{name}.json").read_text()))


def shorter(clone: Clone, model: str) -> str:
    """The YAML of a network that ends soon."""
    text = (clone.root / f"conf/model/{model}.yaml").read_text()
    for key, value in {"max_epochs": 3, "min_steps": 20}.items():
        text = re.sub(rf"^{key}: .*$", f"{key}: {value}", text, flags=re.M)
    return text


def quick(clone: Clone) -> Clone:
    """Networks that end soon."""
    for model in ("mlp", "cnn_modern"):
        clone.write(f"conf/model/{model}.yaml", shorter(clone, model))
    clone.run("git", "commit", "-qam", "quick networks")
    return clone


def test_a_table_with_dates_and_missing_values(clone: Clone, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 700, 300), unit="D")
    table = pd.DataFrame({"day": days.strftime("%d.%m.%Y"), "amount": rng.lognormal(3, 1, 300).round(2)})
    table["city"] = rng.choice(np.array(["Köln", "Rom", None], dtype=object), 300)
    table["late"] = np.where((table["amount"] > 20) ^ (rng.random(300) < 0.1), "yes", "no")
    path = tmp_path / "who paid.csv"
    table.to_csv(path, sep=";", decimal=",", index=False, encoding="cp1252", na_rep="NA")
    done = quick(clone).run("crossover", "study", str(path), "--budget", "60s")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\nwho_paid: use " in done.stdout
    assert "the report: " in done.stdout
    assert verdict(clone, "who_paid")["best_classical_accuracy"] > 0.8  # type: ignore[operator]
    assert "day (weekday)" in (clone.root / "data/prepared/who_paid/statistics.json").read_text()
    again = clone.run("crossover", "study", str(path), "--budget", "60s")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "the study carries on" in again.stdout
    assert "Running stage" not in again.stdout


def test_a_column_of_texts(clone: Clone, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    junk = rng.random(300) < 0.15
    words = {
        True: ["win", "free", "prize", "call", "now", "cash"],
        False: ["see", "you", "bus", "noon", "tea", "home"],
    }
    notes = [
        f'{" ".join(rng.choice(words[bool(is_junk)], 8))}, "{rng.choice(["hi", "ok", "bye"])}" {k}'
        for k, is_junk in enumerate(junk)
    ]
    table = pd.DataFrame({"note": notes, "kind": np.where(junk, "junk", "mail")})
    path = tmp_path / "notes.csv"
    table.to_csv(path, index=False)
    clone.write("conf/model/text_cnn.yaml", shorter(clone, "text_cnn"))
    done = clone.run("crossover", "study", str(path), "--budget", "40s")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "- text: note, 10 words in the median (the only column that could be an input" in done.stdout
    assert verdict(clone, "notes")["best_classical_balanced_accuracy"] == 1
    assert (clone.root / "data/features/notes/words_chars/train/0/X.npz").exists()


def test_a_folder_of_images(clone: Clone, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, side in (("upright", 0), ("flat", 1)):
        (tmp_path / "lines" / name).mkdir(parents=True)
        for k in range(40):
            pixels = rng.integers(0, 60, (20, 24, 3), dtype=np.uint8)
            place = rng.integers(4, 16)
            pixels[(slice(None), place) if side == 0 else (place, slice(None))] = 255
            image = Image.fromarray(pixels)
            (image.convert("L") if k % 2 else image).save(tmp_path / "lines" / name / f"{k}.png")
    done = quick(clone).run("crossover", "study", str(tmp_path / "lines"), "--budget", "60s", "--size", "16")
    assert done.returncode == 0, done.stdout + done.stderr
    assert verdict(clone, "lines")["best_classical_accuracy"] > 0.9  # type: ignore[operator]
    assert (clone.root / "data/own/lines/images/flat/0.png").exists()


@pytest.mark.parametrize(
    "how", [("--groups", "patient"), ("--time", "day", "--groups", "auto", "--test", "0.2")]
)
def test_visits_that_a_random_split_would_leak(how: tuple[str, ...], clone: Clone, tmp_path: Path) -> None:
    """Each patient has an answer of his own, which only his other visits tell."""
    rng = np.random.default_rng(0)
    patient = rng.integers(0, 80, 400)
    traits, answers = rng.normal(size=(80, 3)), rng.integers(0, 2, 80)
    table = pd.DataFrame(traits[patient] + rng.normal(0, 0.01, (400, 3)), columns=["a", "b", "c"])
    table["patient"] = [f"p{k}" for k in patient]
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.permutation(400), unit="D")
    table["day"], table["ill"] = days.strftime("%d.%m.%Y"), np.where(answers[patient], "yes", "no")
    table.to_csv(tmp_path / "visits.csv", index=False)
    drop = () if "--time" in how else ("--drop", "day")
    path = str(tmp_path / "visits.csv")
    done = quick(clone).run("crossover", "study", path, "--target", "ill", *how, *drop, "--budget", "60s")
    assert done.returncode == 0, done.stdout + done.stderr
    found = verdict(clone, "visits")
    accuracy = found["best_classical_accuracy"]
    assert isinstance(accuracy, float)
    if "--time" in how:
        assert found["splits"] == 1
        assert accuracy > 0.8  # the same patients come again
        report = (clone.root / "reports/report.md").read_text()
        assert "All repetitions have the same training part and the same test part" in report
    else:
        assert accuracy < 0.7

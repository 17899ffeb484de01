"""The command `crossover`: from a file of the user's to a verdict.

    crossover study flowers.csv                  # a table: CSV, TSV, blank-separated text, Parquet
    crossover study photos/ --budget 20m         # a folder with a sub-folder a class
    crossover study mails.csv --text body        # a column of texts
    crossover study visits.csv --groups patient  # all rows of a patient in one part; --time day: the latest are tested
    crossover study flowers.csv --dry-run        # what it would take the data for, and how long the study would take
    crossover add model my_net                   # the files of a network of your own, with a test that passes
    crossover add model lda --estimator sklearn.discriminant_analysis.LinearDiscriminantAnalysis

It runs in the project's root. It writes `conf/dataset/<name>.yaml`, copies the data to `data/own/<name>` and adds them
to DVC, asks for the study in `params.yaml`, and runs `dvc repro`. From there on the data set is one like all others.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML

from crossover.audit.finding import Check, Checks, findings_file, read_findings
from crossover.command.add_model import write_model
from crossover.command.arrays import describe_arrays
from crossover.command.description import (
    CLASSIFICATION,
    Description,
    Options,
    decide_metric,
    decide_task,
    require_enough,
)
from crossover.command.images import describe_images
from crossover.command.plan import plan_within
from crossover.command.table import describe_table
from crossover.core.configuration import build, override_text
from crossover.core.errors import CrossoverError, sentence
from crossover.core.files import atomic_folder, discard, read_yaml
from crossover.core.layout import Layout
from crossover.core.metric import ALLOWED
from crossover.core.settings import NAME, NAME_IN_WORDS, validated
from crossover.core.study import load_study
from crossover.data.image_folder import ImageFolder
from crossover.data.own_arrays import OwnArrays
from crossover.data.own_table import OwnTable
from crossover.data.splits import ORIGIN, Protocol

OWN = Path("data/own")
"""Where the data that users add lie, one folder a data set."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="crossover", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(dest="command", required=True)
    study = commands.add_parser("study", help="compare both families on your own data")
    study.add_argument(
        "path",
        type=Path,
        help="a table (CSV, TSV, Parquet), also of texts or of names of images, a folder of images, or arrays (.npz)",
    )
    study.add_argument("--target", help="the column of the labels")
    study.add_argument("--task", default=CLASSIFICATION, help="classification, which is all there is")
    study.add_argument("--text", metavar="C", help="the column of the texts, where the study is about texts")
    study.add_argument(
        "--test",
        metavar="PATH|0.25",
        help="a file with the test part of a table, or the share that is tested",
    )
    study.add_argument(
        "--groups",
        metavar="C|auto",
        help="rows with equal values in this column stay in one part; auto: examples that are equal",
    )
    study.add_argument(
        "--time", metavar="C", help="the column of dates or numbers by which the latest rows are tested"
    )
    study.add_argument("--drop", default="", metavar="C,…", help="columns to leave out")
    study.add_argument("--separator", help="between the values of a text")
    study.add_argument("--sample", type=int, metavar="N", help="train on so many examples at most")
    study.add_argument(
        "--size", type=int, metavar="PIXELS", help="of the longer side of an image at most; 32"
    )
    study.add_argument(
        "--budget", metavar="10m", default="30m", help="about how long it may take: 90s, 10m, 2h; 30m"
    )
    study.add_argument("--metric", choices=ALLOWED, help="by which models are chosen and compared; accuracy")
    study.add_argument("--name", help="of the data set; that of the file where it is left out")
    study.add_argument(
        "--accept", default="", metavar="A02,…", help="findings of the audit that do not stop it"
    )
    study.add_argument("--no-copy", action="store_true", help="leave the data where they are")
    study.add_argument("--dry-run", action="store_true", help="say what would be done, and stop")
    study.add_argument("--yes", action="store_true", help="do not ask whether to begin")
    add = commands.add_parser("add", help="add a model").add_subparsers(dest="what", required=True)
    model = add.add_parser("model", help="write the files of a new model, and a test that passes")
    model.add_argument("name")
    model.add_argument(
        "--estimator", metavar="CLASS", help="a classifier of scikit-learn; without it, a network"
    )
    return top


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; a mistake is one sentence and exit status 1."""
    given = parser().parse_args(arguments)
    try:
        sys.exit(study(given) if given.command == "study" else add_model(given.name, given.estimator))
    except KeyboardInterrupt:
        sys.exit("broken off; the same command goes on where it ended")
    except Exception as error:
        text = sentence(error)
        if text is None or os.environ.get("HYDRA_FULL_ERROR"):
            raise
        sys.exit(f"error: {text}")


def study(given: argparse.Namespace) -> int:
    """Describe the data, plan the study and run it; the exit status of `dvc`.

    Raises:
        CrossoverError: the data or an option are refused.
    """
    _require_project()
    options, budget = _options(given), seconds_of(given.budget)
    path: Path = given.path
    name = options.name
    # Data that lie where the copy would go stay as they are.
    stays = given.no_copy or path.resolve().is_relative_to((OWN / name).resolve())
    place = path.resolve() if stays else OWN / name / (path.name if path.is_file() else "images")
    arrays = path.suffix.lower() == ".npz"
    describe = describe_images if path.is_dir() else describe_arrays if arrays else describe_table
    found = describe(path, options, place.as_posix())
    if found.copies is not None:
        place = place.parent / "images"
        if stays:
            raise CrossoverError(
                f"--no-copy must be left out where a table names images, got {path}: they are copied into a folder for "
                "each class"
            )
    decide_task(found, given.task)
    decide_metric(found, given.metric, _audited("A08").threshold)
    require_enough(found, build(read_yaml(Path("conf/protocol/default.yaml")), ORIGIN, Protocol))
    known = Path("conf/dataset") / f"{name}.yaml"
    again = _known(known, found) and place.exists()
    plan = plan_within(name, found, budget)
    estimate = plan.seconds(found)
    for decision in found.decisions:
        _say(f"- {decision}")
    _say(f"plan: {plan}")
    least = (
        "" if estimate <= budget else f", which is more than the {given.budget} of --budget, and the least"
    )
    disk = _megabytes(path, found, plan.seeds)
    _say(f"time: about {_words(estimate)} on two cores{least}; disk: about {disk:,.0f} MB")
    if given.dry_run:
        _say("nothing was written (--dry-run)")
        return 0
    if again:
        _say(f"{known} describes these data already; the study carries on")
    elif not _agreed(given.yes):
        _say("nothing was written")
        return 0
    else:
        if not stays:
            _copy(path, options.test, place, found.copies)
        _write(known, found)
    for line in ask_for(plan.params(), Path("params.yaml")):
        _say(line)
    done = subprocess.run(["dvc", "repro", f"audit@{name}"], check=False)
    if done.returncode:
        return done.returncode
    _refuse_unfit(name, {code.strip() for code in given.accept.split(",")}, found.has_test)
    done = subprocess.run(["dvc", "repro"], check=False)
    report = Path("reports/report.md")
    if done.returncode == 0 and report.exists():
        from crossover.stages.compare import answer_of  # loads Matplotlib

        answer = answer_of(report.read_text(encoding="utf-8"), name)
        _say("\n" + re.sub(r"^> ?", "", answer, flags=re.M).replace("**", "").strip() + "\n")
        _say(f"the report: {Path('reports/report.html').resolve()}")
    return done.returncode


def _options(given: argparse.Namespace) -> Options:
    """What the command line says about the data, checked."""
    path: Path = given.path
    if not path.exists():
        raise CrossoverError(f"PATH must be a file or a folder, got {path}, which does not exist")
    name = given.name or _name_of(path)
    if not NAME.fullmatch(name):
        raise CrossoverError(f"--name must be {NAME_IN_WORDS}, got {name!r}")
    for option, smallest in (("sample", 1), ("size", 8)):
        value = getattr(given, option)
        if value is not None and value < smallest:
            raise CrossoverError(f"--{option} must be at least {smallest}, got {value}")
    test, fraction = _test_or_share(given.test)
    if test is not None and (path.is_dir() or not test.is_file()):
        raise CrossoverError(
            f"--test must be a file next to a table, got {test}; a folder of images has its own train/ and test/"
        )
    if test is not None and test.name == path.name:
        raise CrossoverError(
            f"--test must be a file of another name than {path.name!r}, since both go into one folder; rename it"
        )
    drop = tuple(filter(None, (column.strip() for column in given.drop.split(","))))
    return Options(
        name=name,
        target=given.target,
        test=test,
        drop=drop,
        sample=given.sample,
        separator=given.separator,
        size=given.size,
        text=given.text,
        groups=given.groups,
        time=given.time,
        test_fraction=fraction,
    )


def _test_or_share(given: str | None) -> tuple[Path | None, float | None]:
    """The file with the test part, or the share of the examples that is tested."""
    try:
        share = float(given or "")
    except ValueError:
        return (None if given is None else Path(given)), None
    if not 0 < share < 1:
        raise CrossoverError(f"--test must be a file or a share between 0 and 1, got {given}")
    return None, share


def add_model(name: str, estimator: str | None) -> int:
    """Write the files of a new model.

    Raises:
        CrossoverError: see `write_model`.
    """
    _require_project()
    for path in write_model(name, estimator):
        _say(f"wrote {path}")
    family = "deep" if estimator is None else "classical"
    _say(
        f"try it: pytest tests/models/test_{name}.py; python pipelines/train_{family}.py dataset=digits model={name}"
    )
    return 0


def _audited(code: str) -> Check:
    """A check of the audit, as it is configured."""
    path = Path("conf/audit/default.yaml")
    return validated(Checks, read_yaml(path), str(path)).checks[code]


def _require_project() -> None:
    if not Path("dvc.yaml").exists() or not Path("params.yaml").exists():
        raise CrossoverError("crossover must run in the root of the project, where dvc.yaml is; go there")


def seconds_of(text: str) -> float:
    """Seconds of a time such as 90s, 10m or 2h.

    Raises:
        CrossoverError: it is none.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|min|h)", text.strip())
    if not found or not float(found[1]):
        raise CrossoverError(f"--budget must be a time such as 90s, 10m or 2h, got {text!r}")
    return float(found[1]) * {"s": 1, "m": 60, "min": 60, "h": 3600}[found[2]]


def _name_of(path: Path) -> str:
    """A name of a data set made of that of a file."""
    stem = path.resolve().name if path.is_dir() else path.stem
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", stem).strip("._-")
    if not name:
        raise CrossoverError(f"a name cannot be made of {path.name!r}; give one with --name")
    return name[:100]


def _refuse_unfit(name: str, accepted: set[str], has_test: bool) -> None:
    """Tell what the audit found.

    Args:
        name: of the data set.
        accepted: codes of findings that stop nothing.
        has_test: whether the test part is the user's own, which no option changes.

    Raises:
        CrossoverError: a comparison on these data would say little.
    """
    path = findings_file(Layout(Path.cwd()), name)
    found = read_findings(path, f"dvc repro audit@{name}").findings if path.exists() else []
    for one in found:
        _say(f"- {one.code}, {one.title} ({one.n:,} of {one.of:,}): {one.why}; {one.do}")
    voiding = [one for one in found if one.voids and one.code not in accepted]
    if voiding:
        codes = ",".join(one.code for one in voiding)
        together = "keep equal examples in one part with --groups auto, "
        raise CrossoverError(
            f"the data must be fit to compare on, and have {' and '.join(one.title for one in voiding)}; correct them, "
            f"{together if 'A02' in codes and not has_test else ''}or go on all the same with --accept {codes}"
        )


def ask_for(params: dict[str, Any], path: Path) -> list[str]:
    """Change keys of `params.yaml`, and keep its comments and all other keys; what it held before, a line a key.

    Args:
        params: dotted key to value.
        path: of the file.
    """
    load_study(path)  # a broken one is not made worse
    editor = YAML()
    editor.width = 120
    editor.representer.add_representer(
        type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    content = editor.load(path.read_text(encoding="utf-8"))
    changed = []
    for key, value in params.items():
        *outer, last = key.split(".")
        place = content
        for name in outer:
            place = place.setdefault(name, {})
        if place.get(last) != value:
            changed.append(
                f"{path}: {key} is {override_text(value)}, and was {override_text(_plain(place.get(last)))}"
            )
            place[last] = value
    fresh = path.with_name(f".{path.name}.partial")
    with fresh.open("w", encoding="utf-8") as file:
        editor.dump(content, file)
    load_study(fresh)
    fresh.rename(path)
    return changed


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value


def _known(path: Path, found: Description) -> bool:
    """Whether the data set is described already, just so.

    Raises:
        CrossoverError: the name belongs to a data set of another kind.
    """
    if not path.exists():
        return False
    there = read_yaml(path)
    own = {f"{kind.__module__}.{kind.__qualname__}" for kind in (OwnTable, ImageFolder, OwnArrays)}
    if there.get("_target_") not in own:
        raise CrossoverError(
            f"the name {found.yaml['name']!r} is taken by {path}; choose another one with --name"
        )
    if there == found.yaml:
        return True
    changed = sorted(key for key in set(there) | set(found.yaml) if there.get(key) != found.yaml.get(key))
    _say(
        f"{path} describes other data or describes them otherwise ({', '.join(changed)}); it will be written anew"
    )
    return False


def _agreed(yes: bool) -> bool:
    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    sys.stderr.write("begin? [Y/n] ")
    return sys.stdin.readline().strip().lower() in ("", "y", "yes")


def _copy(path: Path, test: Path | None, place: Path, copies: dict[str, Path] | None) -> None:
    """Copy the data into the project, whole or not at all, and add them to DVC.

    Args:
        path: of the file or folder.
        test: a file with the test part.
        place: where to.
        copies: see `Description`.
    """
    replaces = place.parent.exists()
    with atomic_folder(place.parent) as folder:
        if copies is not None:
            for name, file in copies.items():
                target = folder / place.name / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
        elif path.is_dir():
            shutil.copytree(path, folder / place.name, ignore_dangling_symlinks=True)
        else:
            for file in filter(None, (path, test)):
                shutil.copyfile(file, folder / file.name)
    added = ["dvc", "add", place.parent.as_posix()]
    done = subprocess.run(added, capture_output=True, text=True, check=False)
    if done.returncode:
        if not replaces:
            discard(place.parent)
            Path(f"{place.parent}.dvc").unlink(
                missing_ok=True
            )  # DVC may have written it before the disk was full
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
        # Of a broken dvc.lock, DVC says so in its first line and prints the place below it.
        reason = (errors[-1:] or lines[:1] or ["no reason given"])[0].rstrip(".")
        raise CrossoverError(f"`{shlex.join(added)}` failed: {reason}; solve that and give the command again")


def _write(path: Path, found: Description) -> None:
    """Write the YAML, whole or not at all."""
    head = [
        "# Written by `crossover study`. What was decided about the data:",
        *(f"#   {' '.join(str(decision).split())}" for decision in found.decisions),
    ]
    body = yaml.safe_dump(found.yaml, sort_keys=False, allow_unicode=True, width=120)
    fresh = path.with_name(f".{path.name}.partial")
    fresh.write_text("\n".join(head) + "\n" + body, encoding="utf-8")
    fresh.rename(path)


def _megabytes(path: Path, found: Description, splits: int) -> float:
    """What the study writes: the raw data twice, and each split's prepared data and features."""
    files = found.copies.values() if found.copies else path.rglob("*") if path.is_dir() else [path]
    raw = sum(one.stat().st_size for one in files if one.is_file())
    # Of a text: some 6 bytes a word, and 8 for each of some 3 terms of it.
    each = found.n_train * found.n_columns * {"image": 1 + 4, "table": 8 + 4, "text": 6 + 24}[found.modality]
    return (2 * raw + splits * each) / 1e6 + 50


def _words(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} minutes"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()

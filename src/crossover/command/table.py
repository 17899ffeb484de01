"""What a table of the user's is taken for: its form, its target, and the type of each column."""

import csv
import re
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np
import pandas as pd
import pooch

from crossover.command.description import NO_REGRESSION, NUMBER, Decision, Description, Options, choose
from crossover.command.images import describe_listed_images, image_column
from crossover.command.splitting import describe_split
from crossover.command.text_form import MISSING, TextForm, text_form
from crossover.core.errors import CrossoverError, first_line
from crossover.data.own_table import Kind, fold, read_text

PARQUET = {".parquet", ".pq"}


TARGET_NAMES = ("target", "label", "class", "y", "outcome", "category", "species", "diagnosis", "result")
"""Names of columns that hold the labels, in small letters, the likeliest first."""

MOST_CLASSES = 100

LEAST_WORDS = 4.5
"""Mean number of words from which a column is one of texts."""

FEW_COLUMNS = 2
"""Besides a text, so many columns or fewer may be less than the text is worth."""

MOST_CATEGORIES = 100
"""As of `OwnTable`, which keeps so many."""


LARGE_BYTES, LARGE_ROWS = 300_000_000, 200_000
"""Of a text that is larger, so many rows are looked at."""

_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d{1,2}:\d{2}.*)?")
_IDENTIFIER = re.compile(r"(^|[_\s.-])(id|index|idx|nr|no|key|number|row)$|^unnamed: 0$|id$", re.I)


def describe_table(path: Path, options: Options, kept: str) -> Description:
    """Look at a table and decide what it is.

    Args:
        path: of the file.
        options: of the command line.
        kept: the path of the file that the YAML will name.

    Raises:
        CrossoverError: it is empty, ragged or no table, or it has no target that could be classes.
    """
    decisions: list[Decision] = []
    form = None if path.suffix.lower() in PARQUET else text_form(path, options.separator, decisions)
    table = _read(path, form)
    if table.empty:
        raise CrossoverError(f"{path} must hold at least one row below the names of its columns, got none")
    names = [str(name) for name in table]
    for name in options.drop:
        if name not in names:
            raise CrossoverError(
                f"--drop must name columns of {path}, got {name!r}; there are {', '.join(names)}"
            )
    target = _target(path, table, options, decisions)
    if (column := image_column(path, table, target)) is not None:
        listed = table.loc[table[target].notna() & table[column].notna(), [column, target]]
        return describe_listed_images(
            path, listed, options, (Path(kept).parent / "images").as_posix(), decisions
        )
    labels = table[target].dropna().astype(str).str.strip()
    if form is not None:
        labels = _missing(table, target, form, decisions)
        table = _read(path, form)
    classes = _classes(path, target, labels, decisions)
    looked_at = _rows(path, table, labels, form, decisions)
    inputs = table[[name for name in table if name not in (target, options.groups)]]
    modality, n_columns = "table", 0
    text = _text(path, inputs, form, options, decisions)
    columns: dict[str, Kind]
    if text is None:
        columns = _columns(inputs, form, options.drop, decisions)
        n_columns = len(columns)
    else:
        columns, modality = {text: "text"}, "text"
        n_columns = max(1, round(_word_counts(table[text]).mean()))
    folded = _folded(table, columns, decisions)
    if not columns:
        raise CrossoverError(
            f"{path} must have a column of numbers, categories or dates besides its target {target!r}, got none; "
            "see the reasons above"
        )
    yaml = _yaml(path, options, kept, form, decisions)
    yaml |= {"target": target, "columns": columns, "classes": classes}
    if folded:
        yaml["folded"] = folded
    rows = table.loc[labels.index].drop(columns=target)
    decimal = "." if form is None else form.decimal
    of_split, groups, times = describe_split(rows, options, columns, decimal, decisions)
    yaml |= of_split
    n_train = looked_at
    if options.sample is not None and options.sample < n_train:
        yaml["sample"], n_train = options.sample, options.sample
        decisions.append(Decision("examples", f"{options.sample:,}", "--sample", "leave it out for all"))
    shares = labels.value_counts() / len(labels)
    counts = [max(1, round(n_train * shares[label])) for label in classes]
    has_test = options.test is not None
    found = Description(yaml, modality, n_train, n_columns, len(classes), has_test, counts, decisions)
    if looked_at == len(labels) and (groups is not None or times is not None):
        found.y = labels.map({label: code for code, label in enumerate(classes)}).to_numpy(np.int64)
        found.groups, found.times = groups, times
    return found


def _rows(
    path: Path, table: pd.DataFrame, labels: pd.Series, form: TextForm | None, decisions: list[Decision]
) -> int:
    """How many rows with a label there are; of a large text, about how many."""
    if form is not None and path.stat().st_size > LARGE_BYTES:
        bytes_a_row = len(",".join(map(str, table.iloc[:1000].to_numpy().ravel()))) / min(1000, len(table))
        about = int(path.stat().st_size / bytes_a_row)
        reason = f"the file is large; about {about:,} rows in all"
        decisions.append(Decision("looked at", f"the first {len(table):,} rows", reason))
        return about
    unlabelled = len(table) - len(labels)
    value = f"{len(labels):,} of {len(table):,}" if unlabelled else f"{len(labels):,}"
    reason = f"{unlabelled:,} have no label" if unlabelled else "each has a label"
    decisions.append(Decision("rows", value, reason))
    return len(labels)


def _yaml(
    path: Path, options: Options, kept: str, form: TextForm | None, decisions: list[Decision]
) -> dict[str, Any]:
    """The keys of the YAML that say where the files are and how they are read."""
    yaml: dict[str, Any] = {
        "_target_": "crossover.data.own_table.OwnTable",
        "name": options.name,
        "train": _file(path, kept),
    }
    if options.test is not None:
        stays = Path(kept).is_absolute()  # then the test file does so as well
        place = options.test.resolve() if stays else Path(kept).parent / options.test.name
        yaml["test"] = _file(options.test, place.as_posix())
        decisions.append(Decision("test part", str(options.test), "named on the command line"))
    if form is None:
        return yaml | {"format": "parquet"}
    yaml |= {"separator": form.separator, "decimal": form.decimal, "encoding": form.encoding}
    yaml |= {"missing": form.missing} | ({"header": form.header} if form.header else {})
    return yaml if form.quoted else yaml | {"quoted": False}


def _read(path: Path, form: TextForm | None) -> pd.DataFrame:
    """All of it; the values of a text are strings."""
    try:
        if form is None:
            return pd.read_parquet(path)
        return read_text(path, form, str, LARGE_ROWS if path.stat().st_size > LARGE_BYTES else None)
    except (ValueError, OSError, csv.Error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise CrossoverError(f"{path} cannot be read as a table: {first_line(error)}; correct it") from error


def _target(path: Path, table: pd.DataFrame, options: Options, decisions: list[Decision]) -> str:
    """The column of the labels."""
    names = [str(name) for name in table]
    if options.target is not None:
        if options.target not in names:
            raise CrossoverError(
                f"--target must be a column of {path}, got {options.target!r}; there are {', '.join(names)}"
            )
        decisions.append(Decision("target", options.target, "--target"))
        return options.target
    by_name = [name for known in TARGET_NAMES for name in names if name.lower() == known]
    fit = [name for name in names if 2 <= table[name].nunique() <= min(MOST_CLASSES, max(2, len(table) // 5))]
    candidates = [*((name, "by its name") for name in by_name[:1]), (names[-1], "the last column")]
    candidates += [(name, "the only column with few values") for name in fit if len(fit) == 1]
    for name, reason in candidates:
        n = table[name].nunique()
        if name in fit:
            reason = f"{reason}, with {n} distinct values"
            decisions.append(Decision("target", name, reason, "--target names another"))
            return name
    target = choose(f"the target of {path}", names, "name it with --target")
    decisions.append(Decision("target", target, "your answer", "--target names another"))
    return target


def _text(
    path: Path, inputs: pd.DataFrame, form: TextForm | None, options: Options, decisions: list[Decision]
) -> str | None:
    """The column of texts that the study is about; None for a table.

    A text next to many columns is left out; next to a few, only the user knows what the study is about.
    """
    names = [str(name) for name in inputs if name not in (*options.drop, options.time)]
    if options.text is not None:
        if options.text not in names:
            raise CrossoverError(
                f"--text must be a column of {path} besides the target, got {options.text!r}; there are "
                f"{', '.join(names)}"
            )
        found, reason, option = options.text, "--text", ""
    else:
        texts = [name for name in names if _is_text(inputs[name])]
        decimal = "." if form is None else form.decimal
        others = [name for name in names if name not in texts and _kind(name, inputs[name], decimal)[0]]
        found, reason, option = "", "the only column that could be an input", "--drop leaves it out"
        if len(texts) == 1 and not others:
            found = texts[0]
        elif texts and len(others) <= FEW_COLUMNS:
            advice = f"name it with --text {quote(texts[0])}, or leave it out with --drop {quote(texts[0])}"
            question = f"whether the study is about the texts of {texts[0]!r} or about {', '.join(others)}"
            answer = choose(question, [texts[0], *others], advice)
            found, reason = (answer, "your answer") if answer in texts else ("", "")
        if not found:
            for name in texts:
                how = f"--text {quote(name)} compares on it alone"
                decisions.append(
                    Decision(f"column {name}", "left out", "a table's models take no texts", how)
                )
            return None
    counts = _word_counts(inputs[found])
    if not len(counts):
        raise CrossoverError(f"the column {found!r} of {path} must hold texts, got none")
    decisions.append(
        Decision("text", f"{found}, {np.median(counts):.0f} words in the median", reason, option)
    )
    if rest := [name for name in names if name != found]:
        decisions.append(
            Decision("other columns", f"left out: {', '.join(rest)}", "a set of texts has no other inputs")
        )
    return found


def _word_counts(column: pd.Series) -> np.ndarray:
    return np.array([len(text.split()) for text in column.dropna().astype(str)])


def _is_text(column: pd.Series) -> bool:
    """Whether the values are texts of some words, most of which occur once; a person's name has fewer words."""
    known = column.dropna()
    if not (pd.api.types.is_string_dtype(known) or known.dtype == object) or len(known) == 0:
        return False
    known = known.astype(str)
    letters = known.head(2000).str.contains(r"[^\W\d_]{2}")
    return bool(
        _word_counts(known).mean() >= LEAST_WORDS
        and letters.mean() > 0.5
        and known.nunique() > 0.5 * len(known)
    )


def _missing(table: pd.DataFrame, target: str, form: TextForm, decisions: list[Decision]) -> pd.Series:
    """Which texts stand for a missing value; returns the labels, in which a word such as None may be a class."""
    labels = table[target].dropna().str.strip()
    own = set(labels)
    there = [
        word for word in MISSING if word not in own and any((table[name] == word).any() for name in table)
    ]
    form.missing += there
    if there:
        decisions.append(
            Decision("missing values", ", ".join(map(repr, ["", *there])), "they stand among other values")
        )
    return labels[labels != ""]


def _classes(path: Path, target: str, labels: pd.Series, decisions: list[Decision]) -> list[str]:
    counts = labels.value_counts()
    numeric = all(NUMBER.fullmatch(label) for label in counts.index)
    if len(counts) < 2:
        got = f"{counts.index[0]!r} alone" if len(counts) else "no label"
        raise CrossoverError(
            f"the target must have at least two classes, got {got} in column {target!r} of {path}"
        )
    if len(counts) > MOST_CLASSES:
        what = "a number" if numeric else "a column"
        advice = (
            f"{NO_REGRESSION}, in a column of its own" if numeric else "name another column with --target"
        )
        raise CrossoverError(
            f"the target must have at most {MOST_CLASSES} classes, got {what} with {len(counts):,} distinct values "
            f"in column {target!r} of {path}; {advice}"
        )
    classes = sorted(counts.index, key=float) if numeric else sorted(counts.index)
    shares = ", ".join(f"{label} ({counts[label]:,})" for label in classes[:10]) + (
        ", …" if len(classes) > 10 else ""
    )
    decisions.append(Decision("classes", shares, f"the values of {target}, and how often each is there"))
    return list(classes)


def _columns(
    table: pd.DataFrame, form: TextForm | None, drop: tuple[str, ...], decisions: list[Decision]
) -> dict[str, Kind]:
    """The type of each column that is used; what is left out is told with its reason."""
    columns: dict[str, Kind] = {}
    for name in map(str, table):
        if name in drop:
            decisions.append(Decision(f"column {name}", "left out", "--drop"))
            continue
        kind, reason = _kind(name, table[name], "." if form is None else form.decimal)
        if kind is None and not reason:
            continue
        if kind is None:
            decisions.append(Decision(f"column {name}", "left out", reason))
            continue
        if reason:
            decisions.append(Decision(f"column {name}", kind, reason))
        if kind == "category" and table[name].nunique() > MOST_CATEGORIES:
            kept = f"{MOST_CATEGORIES - 1} categories and one for the others"
            why = f"it has {table[name].nunique():,} different values"
            decisions.append(Decision(f"column {name}", kept, why, "most_categories in the YAML"))
        columns[name] = kind
    for kind in ("number", "category", "date", "datetime"):
        same = [name for name, own in columns.items() if own == kind]
        if same:
            shown = ", ".join(same[:12]) + (f", … ({len(same)})" if len(same) > 12 else "")
            decisions.append(
                Decision(f"columns of type {kind}", shown, "by their values", "--drop leaves some out")
            )
    return columns


def _folded(table: pd.DataFrame, columns: dict[str, Kind], decisions: list[Decision]) -> list[str]:
    """Columns of categories in which some differ in capitals and blanks alone."""
    found = []
    for name, kind in columns.items():
        if kind != "category":
            continue
        spellings = table[name].dropna().astype(str).str.strip().unique()
        categories = {fold(text) for text in spellings}
        if 2 <= len(categories) < len(spellings):
            found.append(name)
            value = f"{len(spellings)} spellings are {len(categories)} categories"
            decisions.append(
                Decision(f"column {name}", value, "capitals and blanks do not count", "folded in the YAML")
            )
    return found


def _kind(name: str, column: pd.Series, decimal: str) -> tuple[Kind | None, str]:
    """The type of a column, and what is odd about it; or None and why it is left out."""
    known = column.dropna()
    distinct = known.nunique()
    if distinct < 2:
        return None, "it has no value" if distinct == 0 else "it has the same value in every row"
    if pd.api.types.is_datetime64_any_dtype(known):
        return ("date" if (known == known.dt.normalize()).all() else "datetime"), ""
    numbers = known
    if not pd.api.types.is_numeric_dtype(known) or pd.api.types.is_bool_dtype(known):
        known = known.astype(str).str.strip()
        numbers = pd.to_numeric(known.str.replace(decimal, ".", regex=False), errors="coerce")
    if numbers.notna().all() and not pd.api.types.is_bool_dtype(numbers):
        if infinite := int(np.isinf(numbers.astype(float)).sum()):
            raise CrossoverError(
                f"a number must be finite, got infinity in {infinite:,} rows of column {name!r}; replace it, or leave "
                f"the column out with --drop {quote(name)}"
            )
        whole = bool((numbers == numbers.round()).all())
        steps = bool((numbers.diff().dropna() == 1).all())
        if whole and distinct == len(column) and len(column) > 20 and (steps or _IDENTIFIER.search(name)):
            return None, "it numbers the rows"
        return "number", ""
    known = known.astype(str)
    if known.head(2000).str.fullmatch(_DATE).mean() > 0.99:
        dates = pd.to_datetime(known, errors="coerce", format="mixed", utc=True)
        if dates.notna().mean() > 0.99:
            return ("date" if (dates.dropna() == dates.dropna().dt.normalize()).all() else "datetime"), ""
    if _is_text(column):
        return None, ""  # told above
    mixed = ""
    if (n_numbers := int(numbers.notna().sum())) > len(known) / 2:
        odd = known[numbers.isna()].iloc[0]
        mixed = (
            f"{n_numbers:,} of its {len(known):,} values are numbers, and {odd!r} is none: correct such values, or "
            "leave them empty, to make it a number"
        )
    if distinct > 50 and distinct > 0.5 * len(known):
        what = (
            "each row has another text" if distinct == len(known) else f"it has {distinct:,} different texts"
        )
        return None, mixed or f"{what}, which says nothing about other rows"
    return "category", mixed


def _file(path: Path, kept: str) -> dict[str, str]:
    return {
        "_target_": "crossover.data.own_table.OwnFile",
        "path": kept,
        "md5": pooch.file_hash(path, alg="md5"),
    }

"""The report's words: Jinja2 templates in `templates/`, one a chapter, filled with what `crossover.analysis` found.

A template writes Markdown, tables included, as it reads best in the template; `render` lines the columns of the
tables up, so that the report reads well in a terminal too. Numbers become text by the filters of `core.numbers`.
"""

import re
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crossover.core import numbers
from crossover.core.metric import WORDS, Metric

MARKS = {"classical": "●", "deep": "◆"}
OBJECTIVES = {"fit_seconds": "seconds to fit", "latency_p50_ms": "milliseconds for one prediction"}
"""What a search may trade accuracy for."""
FAMILY_NAMES = {"classical": "classical machine learning", "deep": "deep learning"}


def and_list(names: list[str]) -> str:
    """["a", "b", "c"] -> "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""


def capital(text: str) -> str:
    """The text with a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


def in_words(metric: Metric) -> str:
    """ "macro_f1" -> "macro F1"."""
    return WORDS[metric]


def bold(text: str, condition: bool = True) -> str:
    """The text, in bold where the condition holds."""
    return f"**{text}**" if condition else text


def shortened(value: str) -> str:
    """A hyperparameter's value with three significant digits; what is no decimal number stays as it is."""
    if not any(mark in value for mark in ".e"):
        return value
    try:
        return f"{float(value):.3g}"
    except ValueError:
        return value


def figure(name: str, alternative: str) -> str:
    """A figure of `figures/`, with what it shows in words for readers who cannot see it."""
    return f"![{alternative}](figures/{name}.png)"


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=False,  # Markdown; the HTML page shows HTML in it as text
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
_ENVIRONMENT.filters |= {
    function.__name__: function
    for function in (
        numbers.percent,
        numbers.points,
        numbers.percent_interval,
        numbers.points_interval,
        numbers.decimals,
        numbers.significant,
        numbers.signed,
        numbers.whole,
        numbers.about,
        numbers.size,
        numbers.duration,
        numbers.p_text,
        numbers.share,
        and_list,
        capital,
        in_words,
        bold,
        shortened,
    )
}
_ENVIRONMENT.globals |= {
    "MARKS": MARKS,
    "FAMILY_NAMES": FAMILY_NAMES,
    "OBJECTIVES": OBJECTIVES,
    "MISSING": numbers.MISSING,
    "infinity": float("inf"),
    "figure": figure,
    "zip": zip,
}


def render(template: str, **values: Any) -> str:
    """Fill `templates/<template>.md.j2`.

    Args:
        template: name of a chapter.
        values: what the template may use; a name that is not there is an error.

    Returns:
        Markdown without blank lines at its ends, paragraphs one blank line apart, table columns lined up.
    """
    text = _ENVIRONMENT.get_template(f"{template}.md.j2").render(values)
    lines = [line.rstrip() for line in text.splitlines()]
    blocks = ((table, list(block)) for table, block in groupby(lines, key=lambda line: line.startswith("|")))
    text = "\n".join("\n".join(_lined_up(block) if table else block) for table, block in blocks)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def macros(template: str) -> Any:
    """The macros of `templates/<template>.md.j2` as functions, for words that stand in a table of numbers too."""
    return _ENVIRONMENT.get_template(f"{template}.md.j2").module


def phrase(name: str, *values: Any) -> str:
    """Fill one of the macros of `templates/phrases.md.j2`, for a figure or a sentence of another chapter."""
    macro: Callable[..., str] = getattr(macros("phrases"), name)
    return macro(*values).strip()


def _lined_up(lines: list[str]) -> list[str]:
    """The lines of one Markdown table, whose second line says which columns are aligned to the right (`---:`)."""
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])] for line in lines]
    right = [cell.endswith(":") for cell in rows[1]]
    content = [rows[0], *rows[2:]]
    widths = [max(3, *(len(row[i]) for row in content)) for i in range(len(right))]
    rule = ["-" * (w - 1) + ":" if r else "-" * w for w, r in zip(widths, right, strict=True)]
    padded = [
        [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)]
        for row in content
    ]
    return [f"| {' | '.join(row)} |" for row in [padded[0], rule, *padded[1:]]]

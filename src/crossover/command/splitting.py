"""How a table of the user's is to be split: its groups, its order in time, and the share that is tested."""

import re
from shlex import quote
from typing import Any

import numpy as np
import pandas as pd

from crossover.command.description import Decision, Options
from crossover.core.errors import CrossoverError
from crossover.data.own_table import AUTO, Kind, as_times, group_names, is_day_first

_GROUP = re.compile(
    r"(^|[_\s.-])(patient|subject|person|participant|user|customer|client|member|household|family|session|visit|group"
    r"|site|hospital|device|machine|sensor|speaker|writer|author|batch)([_\s.-]?(id|no|nr|number|name|code|key))?$",
    re.I,
)
_TIME = re.compile(r"(^|[_\s.-])(date|time|timestamp|datetime|year)$", re.I)


def describe_split(
    rows: pd.DataFrame, options: Options, columns: dict[str, Kind], decimal: str, decisions: list[Decision]
) -> tuple[dict[str, Any], np.ndarray | None, np.ndarray | None]:
    """Say how rows will be split, and which columns may tell more about it.

    Args:
        rows: those with a label, without the target.
        options: of the command line.
        columns: the inputs.
        decimal: mark of the numbers.
        decisions: where it is said.

    Returns:
        keys of the YAML, and the groups and times of the rows, see `RawData`; groups of equal rows are not known yet.

    Raises:
        CrossoverError: an option names no column besides the target, or a row has no group or no time.
    """
    for option, asked in (("--groups", options.groups), ("--time", options.time)):
        if asked is not None and asked not in rows and (option, asked) != ("--groups", AUTO):
            raise CrossoverError(
                f"{option} must be a column besides the target, got {asked!r}; there are {', '.join(map(str, rows))}"
            )
    yaml: dict[str, Any] = {}
    groups, times = None, None
    if options.groups == AUTO:
        yaml["groups"] = AUTO
        decisions.append(Decision("groups", "equal rows", "--groups auto: they are in one part"))
    elif options.groups is not None:
        yaml["groups"] = options.groups
        groups = pd.factorize(group_names(rows[options.groups], options.groups))[0].astype(np.int64)
        value = f"{groups.max() + 1:,} of column {options.groups}"
        reason = "--groups: each is in one part as a whole, and the column is no input"
        decisions.append(Decision("groups", value, reason))
    if (name := options.time) is not None:
        yaml["time"] = name
        times = as_times(rows[name], name, is_day_first(rows[name]), decimal)
        stays = "the column stays an input" if name in columns else "the column is no input"
        other = f"--drop {quote(name)} leaves it out" if name in columns else ""
        decisions.append(Decision("time", name, f"--time: the latest rows are tested, and {stays}", other))
    if options.test_fraction is not None:
        yaml["test_fraction"] = options.test_fraction
        decisions.append(Decision("test part", f"{options.test_fraction:g} of the rows", "--test"))
    if options.test is None:
        _hint(rows.drop(columns=list(options.drop), errors="ignore"), options, columns, decisions)
    return yaml, groups, times


def _hint(rows: pd.DataFrame, options: Options, columns: dict[str, Kind], decisions: list[Decision]) -> None:
    """Name columns that look like groups or times, which are used where the command line says so alone."""
    for name in map(str, rows):
        distinct = rows[name].nunique()
        if options.groups is None and _GROUP.search(name) and 2 <= distinct <= len(rows) / 2:
            reason = f"by its name, and {len(rows):,} rows have {distinct:,} different values"
            value = "may tell which rows belong together"
            decisions.append(
                Decision(f"column {name}", value, reason, f"--groups {quote(name)} keeps them in one part")
            )
        dated = columns.get(name) in ("date", "datetime")
        numbered = columns.get(name) == "number" and _TIME.search(name) is not None
        if options.time is None and (dated or numbered):
            reason = "it has dates" if dated else "by its name"
            value = "may tell the order in time"
            decisions.append(
                Decision(f"column {name}", value, reason, f"--time {quote(name)} tests on the latest rows")
            )

"""The critical-difference diagram of Demšar 2006: average ranks, and which of them a test cannot tell apart."""

from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle

from crossover.analysis.many_datasets import MethodsComparison
from crossover.core.numbers import p_text
from crossover.report.figures.style import (
    COLORS,
    INK,
    PALE_INK,
    SHAPES,
    STYLE,
    legend,
    new_figure,
    save,
    title,
)

_ROW = 0.3  # inches between two names, and between two thick lines


@matplotlib.rc_context(STYLE)
def draw_ranks(folder: Path, comparison: MethodsComparison, families: dict[str, str]) -> None:
    """Write `critical-difference` as PNG, SVG and CSV into `folder`; nothing where there is no critical difference.

    In the CSV each row is a method, the best first; `groups` are those that it belongs to, counted from 1.

    Args:
        folder: which exists.
        comparison: of three methods or more.
        families: "classical" or "deep" of each method.
    """
    if comparison.critical_difference is None:
        return
    groups = comparison.groups()
    rows = [
        {
            "method": comparison.methods[i],
            "family": families[comparison.methods[i]],
            "average_rank": round(float(comparison.average_ranks[i]), 4),
            "groups": " ".join(str(number) for number, group in enumerate(groups, 1) if i in group),
            "critical_difference": round(comparison.critical_difference, 4),
            "datasets": len(comparison.datasets),
        }
        for i in comparison.ranking
    ]
    figure = _diagram(comparison, families, comparison.critical_difference)
    save(figure, folder / "critical-difference", pd.DataFrame(rows))


def _diagram(comparison: MethodsComparison, families: dict[str, str], difference: float) -> Figure:
    from scikit_posthocs import critical_difference_diagram  # loads seaborn and pyplot

    names, k = comparison.methods, len(comparison.methods)
    figure = new_figure(10, _ROW * ((k + 1) // 2 + len(comparison.groups())) + 2.3)
    axes = figure.add_subplot()
    axes.grid(visible=False)
    drawn = critical_difference_diagram(
        pd.Series(comparison.average_ranks, names),
        pd.DataFrame(comparison.nemenyi_p, names, names),
        ax=axes,
        hue={name: families[name] for name in names},
        hue_order=list(COLORS),
        color_palette=COLORS,
        label_fmt_left="{label}  {rank:.2f} ",
        label_fmt_right=" {rank:.2f}  {label}",
        text_h_margin=0.03 * (k - 1),
        elbow_props={"lw": 1, "alpha": 0.6},
        marker_props={"s": 45},
        crossbar_props={"color": INK, "linewidth": 4, "solid_capstyle": "projecting"},
    )
    for [line] in drawn["crossbars"]:
        # From end to end: the library goes through its methods in the order of a set, which changes with each run.
        x, y = line.get_data()
        line.set_data([min(x), max(x)], [y[0], y[0]])
    families_by_color = {color: family for family, color in COLORS.items()}
    for marker, label in zip(drawn["markers"], drawn["labels"], strict=True):
        shape = MarkerStyle(SHAPES[families_by_color[label.get_color()]])
        marker.set_paths([shape.get_path().transformed(shape.get_transform())])
    axes.spines["top"].set(visible=True, bounds=(1, k), color=PALE_INK)
    axes.set(xlim=(1, k), xticks=range(1, k + 1), ylim=(None, 2.4))
    axes.plot([1, 1 + difference], [1.8, 1.8], color=INK, lw=1.6, marker="|", ms=9, mew=1.6, clip_on=False)
    text = f"critical difference {difference:.2f}"
    axes.annotate(text, (1 + difference, 1.8), (8, 0), textcoords="offset points", va="center", color=INK)
    subtitle = "1 is the best; a thick line joins methods that Nemenyi's test cannot tell apart"
    if comparison.friedman and not comparison.differ:
        p = p_text(comparison.friedman.p)
        subtitle = f"1 is the best; Friedman's test finds no difference among the methods (p {p})"
    title(axes, f"Average rank on {len(comparison.datasets)} data sets", subtitle)
    legend(figure)
    return figure

"""The loss on validation rows of the models that were not trained to their end."""

from pathlib import Path

import matplotlib

from crossover.analysis.study import DatasetAnalysis
from crossover.report.figures.style import COLORS, STYLE, new_figure, pale, save

_ACROSS = 3  # panels next to each other


@matplotlib.rc_context(STYLE)
def draw_losses(folder: Path, d: DatasetAnalysis) -> None:
    """A panel for each of these models: a pale line for each repetition, and their mean as far as all of them go."""
    losses = d.results.losses
    if losses.empty:
        return
    families = {cell.cell.label: cell.family for cell in d.results.cells}
    models = losses["model"].unique()
    across = min(len(models), _ACROSS)
    down = -(-len(models) // across)
    figure = new_figure(0.8 + 3.6 * across, 2.9 * down)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for axes, model in zip(panels, models, strict=False):
        color = COLORS[families[model]]
        table = losses[losses["model"] == model].pivot(index="epoch", columns="seed", values="val_loss")
        axes.plot(table.index + 1, table, color=pale(color), lw=1)
        mean = table.dropna().mean(axis=1)
        axes.plot(mean.index + 1, mean, color=color, lw=2)
        axes.set(yscale="log", xlabel="epochs or rounds", title=model)
    for axes in panels[len(models) :]:
        axes.set_visible(False)
    figure.supylabel("loss on validation rows", fontsize=10)
    save(figure, folder / f"{d.dataset}-losses", losses.round({"val_loss": 4}))

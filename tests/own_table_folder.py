"""A table of a user's own, as `crossover study` would prepare it."""

from pathlib import Path
from typing import Any

import pandas as pd
import pooch

from crossover.core.configuration import build
from crossover.core.layout import Layout
from crossover.data.own_table import OwnTable
from crossover.data.prepared import Prepared
from crossover.stages.download import download
from crossover.stages.prepare import prepare
from tests.data.configured import load_protocol

ORIGIN = "conf/dataset/own.yaml"


def file_of(table: pd.DataFrame, path: Path) -> dict[str, str]:
    """Write a table as CSV and describe the file."""
    table.to_csv(path, index=False)
    md5 = pooch.file_hash(path, alg="md5")
    return {"_target_": "crossover.data.own_table.OwnFile", "path": str(path), "md5": md5}


def own_table(table: pd.DataFrame, folder: Path, test: pd.DataFrame | None = None, **keys: Any) -> OwnTable:
    """The source of a table with a target `y`; each other column that is numeric is an input unless `keys` say more."""
    folder.mkdir(parents=True, exist_ok=True)
    split = (keys.get("groups"), keys.get("time"), "y")
    config = {
        "_target_": "crossover.data.own_table.OwnTable",
        "name": "own",
        "train": file_of(table, folder / "own.csv"),
        "target": "y",
        "columns": {name: "number" for name in table.select_dtypes("number") if name not in split},
        "classes": sorted(table["y"].dropna().astype(str).unique()),
    }
    if test is not None:
        config["test"] = file_of(test, folder / "test.csv")
    return build(config | keys, ORIGIN, OwnTable)


def prepared_table(source: OwnTable, layout: Layout, **protocol: Any) -> Prepared:
    """Run both stages."""
    download(source, layout)
    prepare(source, load_protocol(**protocol), layout)
    return Prepared(layout.prepared(source.name))

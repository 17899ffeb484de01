"""scikit-learn objects on disk, in skops's format, whose files hold no code."""

import io
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from crossover.core.errors import CrossoverError

TRUSTED = [
    "numpy.dtype",
    "skrub._string_encoder.StringEncoder",
    "skrub._to_str.ToStr",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    # A forged tree can point outside its own arrays and crash the process, but it cannot run code.
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
]
"""Classes that hold data alone, trusted next to what skops trusts by itself.

skops trusts scikit-learn's estimators, the arrays and universal functions of NumPy and SciPy, and
Python's containers and primitives. The list names classes and no packages, since `numpy` and `builtins` also
hold functions that a forged file could call.
"""


def dump(obj: Any, path: Path) -> None:
    """Write an object; what varies between equal runs (memory addresses, times) is left out of the file.

    Raises:
        CrossoverError: the object holds a type that `load` would refuse.
    """
    skops = _import_skops()
    try:
        content = skops.dumps(obj)
    except skops.exceptions.UnsupportedTypeException as error:
        raise CrossoverError(f"{path} cannot hold the fitted object: {error}") from error
    _refuse_untrusted(content, path)
    ids: dict[int, int] = {}
    names: dict[str, str] = {}

    def renumber(node: dict[str, Any]) -> dict[str, Any]:
        """Replace memory addresses, in ids and in the names of the archive's members."""
        if isinstance(node.get("__id__"), int):
            node["__id__"] = ids.setdefault(node["__id__"], len(ids) + 1)
        if isinstance(node.get("file"), str):
            node["file"] = names.setdefault(node["file"], f"{len(names)}{Path(node['file']).suffix}")
        return node

    with ZipFile(io.BytesIO(content)) as source, ZipFile(path, "w") as target:
        schema = json.dumps(json.loads(source.read("schema.json"), object_hook=renumber))
        for name, new_name in names.items():
            # A new ZipInfo holds no time of day. Level 1 writes a forest of 60,000 rows in seconds where the default
            # takes a minute.
            target.writestr(ZipInfo(new_name), source.read(name), ZIP_DEFLATED, compresslevel=1)
        target.writestr(ZipInfo("schema.json"), schema, ZIP_DEFLATED, compresslevel=1)


def load(path: Path) -> Any:
    """Read an object; runs no code from the file.

    Raises:
        CrossoverError: the file is missing, is broken, or holds a type that is not trusted.
    """
    skops = _import_skops()
    try:
        return skops.load(path, trusted=TRUSTED)
    except FileNotFoundError:
        raise CrossoverError(f"{path} does not exist; make it with `dvc repro`") from None
    except skops.exceptions.UntrustedTypesFoundException:
        _refuse_untrusted(path.read_bytes(), path)
        raise
    except Exception as error:  # damage can show in zipfile, zlib, json, numpy or the object itself
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise CrossoverError(f"{path} is broken ({reason[0]}); delete it and run `dvc repro`") from error


def _import_skops() -> ModuleType:
    """Import `skops.io` without torch.

    skops imports every module of scikit-learn to list the estimators, among them the bridge to torch's
    arrays, which holds none and would cost each process another 3 s.
    """
    bridge = "sklearn.externals.array_api_compat.torch"
    hidden = sys.modules.setdefault(bridge, None) is None  # type: ignore[arg-type]
    try:
        import skops.io
        import skops.io.exceptions
    finally:
        if hidden:
            del sys.modules[bridge]
    return skops.io


def _refuse_untrusted(content: bytes, path: Path) -> None:
    untrusted = sorted(set(_import_skops().get_untrusted_types(data=content)) - set(TRUSTED))
    if untrusted:
        raise CrossoverError(
            f"a stored object may hold trusted types only, got {', '.join(untrusted)} ({path}); "
            f"if it is data of a library that you trust, add it to TRUSTED in {__name__}"
        )

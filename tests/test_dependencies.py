"""Folders import only upwards; a stage has one name everywhere and depends in dvc.yaml on the code that it imports."""

import ast
from pathlib import Path

import pytest
import yaml

from crossover.fitting.engine import RESULT_CODE

PROJECT = Path(__file__).parent.parent
SOURCE = PROJECT / "src"
PACKAGE = SOURCE / "crossover"
STAGES = yaml.safe_load((PROJECT / "dvc.yaml").read_text())["stages"]

LAYERS = (
    "core",
    "data",
    "audit",
    "features",
    "tracking",
    "models",
    "scoring",
    "fitting",
    "launching",
    "search",
    "evaluation",
    "analysis",
    "report",
    "stages",
    "command",
    "cli.py",
)
"""Each folder of the package imports only itself and those before it."""

NO_RESULT = {
    "tracking": "no result depends on tracking",
    "launching": "it says what a stage runs on, which the stage's command and parameters say in dvc.yaml",
    "cli.py": "messages and exit status",
    "__init__.py": "a docstring and the version",
}
"""What a stage may import without depending on it, and why."""
CHECKSUMMED = "src/crossover/data/"  # raw files are what their checksums say, whichever code fetched them


def script(stage: str) -> str:
    """The name of the script that a stage runs; two stages may run the same."""
    return Path(next(word for word in STAGES[stage]["cmd"].split() if word.startswith("pipelines/"))).stem


def module_file(name: str) -> Path | None:
    base = SOURCE / Path(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.exists():
            return path
    return None


def imported_files(path: Path) -> set[Path]:
    """The project's files that a file imports anywhere in it, those of `from package import module` too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        found |= {file for name in names if name.startswith("crossover") and (file := module_file(name))}
    return found


def layer(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


def entry_files(stage: str) -> set[Path]:
    """The stage's module, and the folders from which a YAML names the class to use."""
    folders = [PROJECT / dep for dep in STAGES[stage]["deps"] if dep.startswith("src/")]
    return {
        PACKAGE / "stages" / f"{script(stage)}.py",
        *(file for folder in folders for file in folder.rglob("*.py")),
    }


def all_imports(entries: set[Path]) -> set[Path]:
    seen: set[Path] = set()
    todo = set(entries)
    while todo:
        file = todo.pop()
        seen.add(file)
        if layer(file) not in NO_RESULT or file in entries:
            todo |= imported_files(file) - seen
    return seen


def uncovered(stage: str) -> list[str]:
    deps = STAGES[stage]["deps"]
    files = {
        str(file.relative_to(PROJECT))
        for file in all_imports(entry_files(stage))
        if layer(file) not in NO_RESULT and file.name != "__init__.py"
    }
    return sorted(
        file
        for file in files
        if not any(file == dep or file.startswith(f"{dep}/") for dep in deps)
        and not (stage == "download" and file.startswith(CHECKSUMMED))
    )


def test_folders_are_the_layers():
    folders = {path.name for path in PACKAGE.iterdir() if path.name not in ("__pycache__", "__init__.py")}
    assert folders == set(LAYERS)


@pytest.mark.parametrize("folder", LAYERS)
def test_a_folder_imports_only_those_before_it(folder):
    allowed = {*LAYERS[: LAYERS.index(folder) + 1], "__init__.py"}
    wrong = {
        (str(file.relative_to(PACKAGE)), str(imported.relative_to(PACKAGE)))
        for file in PACKAGE.rglob("*.py")
        if file.parent != PACKAGE and layer(file) == folder
        for imported in imported_files(file)
        if layer(imported) not in allowed
    }
    assert wrong == set()


def test_a_stage_has_one_name_everywhere():
    names = {script(stage) for stage in STAGES}
    assert {path.stem for path in (PROJECT / "pipelines").glob("*.py")} == names
    assert {path.stem for path in (PACKAGE / "stages").glob("*.py")} - {"__init__"} == names
    assert all((PROJECT / "conf" / f"{name}.yaml").exists() for name in names)
    for stage in STAGES:
        assert stage.startswith(script(stage))
        assert f"src/crossover/stages/{script(stage)}.py" in STAGES[stage]["deps"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_what_it_imports(stage):
    assert uncovered(stage) == []


@pytest.mark.parametrize("stage", STAGES)
def test_code_dependencies_exist(stage):
    for dep in STAGES[stage]["deps"]:
        if dep.startswith("src/"):
            assert (PROJECT / dep).exists(), dep


def test_what_changes_a_fit_is_what_dvc_yaml_says():
    """The identity of a fit covers the folders that the training stages depend on."""
    for stage in ("train_classical", "train_deep"):
        folders = {dep.split("/")[2] for dep in STAGES[stage]["deps"] if dep.startswith("src/crossover/")}
        assert folders - {"stages"} == set(RESULT_CODE)


def test_the_walk_sees_imports_inside_functions():
    assert PACKAGE / "scoring" / "judge.py" in all_imports(entry_files("train_classical"))


def test_training_never_depends_on_a_test_part():
    fitting = [stage for stage in STAGES if stage.startswith(("train_", "tune_"))]
    assert len(fitting) == 8
    for stage in fitting:
        data = [dep for dep in STAGES[stage]["deps"] if dep.startswith("data/")]
        assert data
        assert all(dep.endswith(("/train", "/meta.json")) for dep in data)


def test_a_learning_curve_reads_no_model_and_no_result():
    """Nothing that was selected or scored elsewhere can flow into it; what it fits on, its own tests show."""
    stages = [stage for stage in STAGES if stage.startswith("learning_curve_")]
    assert len(stages) == 2
    for stage in stages:
        inputs = [dep for dep in STAGES[stage]["deps"] if not dep.startswith("src/")]
        assert inputs
        assert all(dep.startswith(("data/prepared/", "data/features/")) for dep in inputs)


def test_the_comparison_reads_results_claims_and_caveats_alone():
    data = [dep for dep in STAGES["compare"]["deps"] if not dep.startswith("src/")]
    assert data == ["results", "conf/claims", "conf/dataset", "conf/textbook"]

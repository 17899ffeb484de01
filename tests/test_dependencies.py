"""Each stage in dvc.yaml depends on the code that it imports, no more is hidden from DVC."""

import ast
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parent.parent
SOURCE = PROJECT / "src"
STAGES = yaml.safe_load((PROJECT / "dvc.yaml").read_text())["stages"]

# What a stage may import without depending on it, and why.
EXEMPT = {
    "src/crossover/tracking/tracker.py": "no result depends on tracking",
    "src/crossover/fitting/recording.py": "no result depends on tracking",
    "src/crossover/cli.py": "messages and exit status",
    "src/crossover/launching/multirun.py": "the folders of multiruns by hand; a stage of the pipeline trains at once",
    "src/crossover/core/errors.py": "the exception's name",
    "src/crossover/core/layout.py": "a file written elsewhere is a missing output, which DVC itself reports",
    "src/crossover/__init__.py": "a docstring and the version",
}
CHECKSUMMED = "src/crossover/data/"  # raw files are what their checksums say, whichever code fetched them


def script(stage: str) -> Path:
    """The script that a stage runs; two stages may run the same."""
    return PROJECT / next(word for word in STAGES[stage]["cmd"].split() if word.startswith("pipelines/"))


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


def entry_files(stage: str) -> set[Path]:
    """The stage's script, and the folders from which a YAML names the class to use."""
    folders = [
        PROJECT / dep for dep in STAGES[stage]["deps"] if (PROJECT / dep).is_dir() and dep.startswith("src/")
    ]
    return {
        script(stage),
        *(file for folder in folders for file in folder.rglob("*.py")),
    }


def all_imports(entries: set[Path]) -> set[str]:
    seen: set[Path] = set()
    todo = set(entries)
    while todo:
        file = todo.pop()
        seen.add(file)
        if str(file.relative_to(PROJECT)) not in EXEMPT:
            todo |= imported_files(file) - seen
    return {str(file.relative_to(PROJECT)) for file in seen}


def uncovered(stage: str) -> list[str]:
    deps = STAGES[stage]["deps"]
    files = all_imports(entry_files(stage))
    return sorted(
        file
        for file in files
        if file not in EXEMPT
        and not any(file == dep or file.startswith(f"{dep}/") for dep in deps)
        and not (stage == "download" and file.startswith(CHECKSUMMED))
    )


def test_every_stage_has_its_script_and_every_script_a_stage():
    assert set((PROJECT / "pipelines").glob("*.py")) == {script(stage) for stage in STAGES}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_its_script(stage):
    assert str(script(stage).relative_to(PROJECT)) in STAGES[stage]["deps"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_what_it_imports(stage):
    assert uncovered(stage) == []


def test_the_walk_sees_imports_inside_functions():
    assert "src/crossover/scoring/judge.py" in all_imports(entry_files("train_classical"))


@pytest.mark.parametrize("stage", STAGES)
def test_code_dependencies_exist(stage):
    for dep in STAGES[stage]["deps"]:
        if dep.startswith(("src/", "pipelines/")):
            assert (PROJECT / dep).exists(), dep


def test_training_never_depends_on_a_test_part():
    fitting = [stage for stage in STAGES if stage.startswith(("train_", "tune_"))]
    assert len(fitting) == 6
    for stage in fitting:
        data = [dep for dep in STAGES[stage]["deps"] if dep.startswith("data/")]
        assert data
        assert all(dep.endswith(("/train", "/meta.json")) for dep in data)


def test_a_learning_curve_reads_no_model_and_no_result():
    """Nothing that was selected or scored elsewhere can flow into it; what it fits on, its own tests show."""
    stages = [stage for stage in STAGES if stage.startswith("learning_curve_")]
    assert len(stages) == 2
    for stage in stages:
        inputs = [d for d in STAGES[stage]["deps"] if not d.startswith(("src/", "pipelines/"))]
        assert inputs
        assert all(dep.startswith(("data/prepared/", "data/features/")) for dep in inputs)


def test_the_comparison_reads_results_and_claims_alone():
    data = [dep for dep in STAGES["compare"]["deps"] if not dep.startswith(("src/", "pipelines/"))]
    assert data == ["results", "conf/claims"]

"""Whether jobs at once are slower than one after the other: `python benchmarks/launchers.py [repeats]`.

The same multiruns on digits (three fits of a random forest, three of XGBoost) run with Hydra's basic launcher and
with joblib, in turn, so that whatever else the machine does meets both. A ratio below 1 says that joblib took
less wall-clock time, the imports of its worker processes included.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
COMMON = ["dataset=digits", "seed=0,1,2", "tracking=none"]
JOBS = {  # fits of some seconds, so that the imports of the workers are not all that is measured
    "random_forest": ["model=random_forest", "model.estimator.n_estimators=500"],
    "xgboost": ["model=xgboost", "model.n_estimators=1000"],
}


def run(*command: str) -> None:
    """Run one of the project's scripts; its output is shown where it fails."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def seconds(model: str, launcher: str) -> float:
    """Wall-clock time of a multirun in a new folder, so that nothing is taken over."""
    folder = Path(tempfile.mkdtemp(prefix="crossover-launchers-"))
    target = f"hydra.sweep.dir={folder / 'multirun'}"  # the jobs' folders lie beside it
    start = time.perf_counter()
    run("pipelines/train_classical.py", "-m", *COMMON, *JOBS[model], f"hydra/launcher={launcher}", target)
    taken = time.perf_counter() - start
    shutil.rmtree(folder)
    return taken


def main(repeats: int) -> None:
    if not (ROOT / "data" / "features" / "digits" / "raw").exists():
        for stage in ("download", "prepare", "featurize"):
            run(f"pipelines/{stage}.py", "dataset=digits")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print("model          repeat   basic [s]  joblib [s]  joblib/basic")
    for model in JOBS:
        ratios = []
        for repeat in range(repeats):
            turn = ("basic", "joblib") if repeat % 2 else ("joblib", "basic")
            times = {launcher: seconds(model, launcher) for launcher in turn}
            ratios.append(times["joblib"] / times["basic"])
            print(
                f"{model:15}{repeat:6d} {times['basic']:11.2f} {times['joblib']:11.2f} {ratios[-1]:13.2f}",
                flush=True,
            )
        print(f"{model:15}median {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)

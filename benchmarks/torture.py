"""Kills, bad input and hostile files, as one command with a table at the end. The tests are in `tests/`.

    python benchmarks/torture.py            # all of them
    python benchmarks/torture.py kills      # one group

Exit status 1 where a test failed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

PROJECT = Path(__file__).parents[1]
KILLS = 50
"""At random moments, of a study and of a search."""

GROUPS = {
    "kills": (
        f"SIGKILL before each file operation, and {KILLS} times at random moments of a study and of a search",
        ["tests/torture", "tests/search", "tests/launching", "tests/stages", "tests/fitting"],
        "kill or broken_off or breaks_off or carries_on or resume or leftovers",
    ),
    "bad input": (
        "wrong names, keys, values, tables, broken and missing files",
        ["tests/test_cli.py", "tests/core", "tests/data", "tests/models/test_classical.py"],
        "not every_model",
    ),
    "hostile files": (
        "forged models, class names that are code, passwords in addresses",
        [
            "tests/core",
            "tests/models",
            "tests/report/test_html.py",
            "tests/data",
            "tests/search/test_space.py",
        ],
        "skops or elsewhere or outside or another_kind or none_of_the or formula or password or like_html or inside_a",
    ),
}
"""What a row of the table says, where its tests are, and pytest's expression that chooses among them."""


def run(group: str) -> tuple[int, int, int, float]:
    """Run the tests of a group, the slow ones too: how many passed, failed and were skipped, and the seconds."""
    _, paths, chosen = GROUPS[group]
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-n", "logical", "--dist", "loadfile"]
        markers = ["-m", "not gpu and not network", "-k", chosen, f"--junitxml={report}"]
        environment = os.environ | {"CROSSOVER_KILLS": str(KILLS)}
        subprocess.run([*command, *markers, *paths], cwd=PROJECT, env=environment, check=False)
        suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite is not None
    total, failed, skipped = (int(suite.attrib[name]) for name in ("tests", "failures", "skipped"))
    failed += int(suite.attrib["errors"])
    return total - failed - skipped, failed, skipped, time.monotonic() - start


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("groups", nargs="*", choices=[*GROUPS, []], help="which; all where none is named")
    rows = {group: run(group) for group in parser.parse_args().groups or GROUPS}
    print("\n| group | what | passed | failed | skipped | s |\n|---|---|--:|--:|--:|--:|")
    for group, (passed, failed, skipped, seconds) in rows.items():
        print(f"| {group} | {GROUPS[group][0]} | {passed} | {failed} | {skipped} | {seconds:.0f} |")
    sys.exit(any(failed or not passed for passed, failed, _, _ in rows.values()))


if __name__ == "__main__":
    main()

"""Known vulnerabilities of the locked packages, by pip-audit; a clear skip where its database cannot be reached.

    python .ci/audit.py requirements.lock

Exit status 1 where a package has one.
"""

import json
import subprocess
import sys
from pathlib import Path

SKIPPED = "audit: skipped, "


def main() -> None:
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        sys.exit("audit: uv must be installed; run `make env`")
    options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    command = [uv, "tool", "run", "pip-audit", "-r", sys.argv[1], *options]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        packages = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        print(f"{SKIPPED}no answer within 300 s")
        return
    except (json.JSONDecodeError, KeyError):
        print(f"{SKIPPED}pip-audit cannot reach its database: {done.stderr.strip().splitlines()[-1:]}")
        return
    asked = [package for package in packages if "vulns" in package]
    found = [package for package in asked if package["vulns"]]
    if not asked:
        print(f"{SKIPPED}the database knows none of the {len(packages)} packages, so it is not PyPI's")
        return
    print(
        f"audit: {len(asked)} of {len(packages)} packages asked for, {len(found)} with known vulnerabilities"
    )
    for package in found:
        names = ", ".join(one["id"] for one in package["vulns"])
        print(f"  {package['name']} {package['version']}: {names}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()

"""Asks for known holes of what is installed, and says plainly where nobody answers.

    python .ci/audit.py SITE_PACKAGES

needs pip-audit beside it, which is best installed into an environment of its own. The
status is 1 where a package has a hole that is not in `ACCEPTED`.
"""

import json
import subprocess
import sys

# {id of an advisory: why it does not reach us, or cannot be mended}
ACCEPTED = {}


def audit(site_packages):
    """pip-audit's report as a dict, or None where it has none."""
    options = ["--format", "json", "--progress-spinner", "off", "--path", site_packages]
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", *options], capture_output=True, text=True
    )
    try:
        return json.loads(done.stdout)
    except ValueError:
        return None


def verdict(report):
    """Lines to print, and the exit status.

    What nobody had advisories of is among the dependencies too, and no hole of it is
    no news.
    """
    packages = report["dependencies"] if report else []
    asked = [package for package in packages if "vulns" in package]
    if not asked:
        return ["no advisories can be had here: the dependencies are NOT audited"], 0
    lines, status = [], 0
    for package in asked:
        for hole in package["vulns"]:
            fixed = ", ".join(hole["fix_versions"]) or "no version"
            line = f"{package['name']} {package['version']}: {hole['id']}"
            if hole["id"] in ACCEPTED:
                lines.append(f"{line}, accepted: {ACCEPTED[hole['id']]}")
            else:
                lines.append(f"{line}, mended in {fixed}")
                status = 1
    left_out = [package["name"] for package in packages if "vulns" not in package]
    if left_out:
        lines.append(f"not audited: {', '.join(left_out)}")
    lines.append(f"{len(asked)} packages audited")
    return lines, status


if __name__ == "__main__":
    lines, status = verdict(audit(sys.argv[1]))
    print("\n".join(lines))
    sys.exit(status)

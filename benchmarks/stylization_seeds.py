"""How far does chance move part (b) of `stylization_dials.py`?

    python benchmarks/stylization_dials.py … --set seed=1 … --results seed_1.json
    python benchmarks/stylization_seeds.py stylization_fixed.json seed_1.json …

Takes results that differ in the seed of their trainings alone, each of some or all of
the paintings. Prints by how much the weighted total of the network with dials is above
that of the one for the setting alone, for every seed and in the mean, and writes it to
`results/stylization_seeds.json`.
"""

import argparse
import json
import statistics
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "stylization_seeds.json"


def described(results):
    """What has to be the same in all files, and the seed, 0 where none is set."""
    found = results["against_fixed"]
    given = dict(setting.split("=") for setting in found["settings"])
    seed = int(given.pop("seed", 0))
    same = {name: found[name] for name in ("recipe", "start", "steps")}
    same |= {"model": results["model"], "photographs": results["photographs"]}
    return {**same, "settings": given}, seed


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path, help="of stylization_dials.py")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    same, styles = None, {}
    for path in options.files:
        results = json.loads(path.read_text(encoding="utf-8"))
        description, seed = described(results)
        same = same or description
        if description != same:
            parser.error(f"{path} differs in more than the seed from the first file")
        for style, row in results["against_fixed"]["styles"].items():
            for setting, total in row["totals"].items():
                styles.setdefault(style, {}).setdefault(setting, {})[seed] = total
    for style, settings in styles.items():
        for setting, seeds in settings.items():
            ratios = [total["ratio"] for total in seeds.values()]
            mean = statistics.mean(ratios)
            settings[setting] = {"mean ratio": mean, "seeds": seeds}
            each = ", ".join(f"{100 * ratio - 100:+.1f}" for ratio in ratios)
            print(f"{style:20} {setting:18} {100 * mean - 100:+.1f} %  ({each})")
    text = json.dumps({**same, "styles": styles}, indent=2)
    options.results.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

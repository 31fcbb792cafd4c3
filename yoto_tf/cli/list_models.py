"""`yoto list`"""

from yoto_tf.cli.output import print_json


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "list", help="pretrained models, their coefficients and ranges"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options):
    """Prints the pretrained models."""
    from yoto_tf import zoo

    summaries = zoo.summaries()
    if options.json:
        print_json(
            {
                name: {
                    "family": summary.family,
                    "id": summary.id.hex(),
                    "coefficients": {
                        coefficient: {"low": low, "high": high}
                        for coefficient, (low, high) in summary.ranges.items()
                    },
                    "headline": summary.headline,
                }
                for name, summary in summaries.items()
            }
        )
        return 0
    for name, summary in summaries.items():
        ranges = ", ".join(
            f"{coefficient} {low:g} … {high:g}"
            for coefficient, (low, high) in summary.ranges.items()
        )
        print(f"{name}  ({summary.family}; {ranges})")
        if summary.headline:
            print(f"    {summary.headline}")
    if not summaries:
        print("no pretrained model is installed")
    return 0

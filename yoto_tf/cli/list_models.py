"""`yoto list`"""

from dataclasses import asdict

from yoto_tf.cli.output import print_json, say
from yoto_tf.cli.parser import add_model


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "list",
        help="pretrained models, their coefficients and ranges, sizes and figures",
    )
    parser.add_argument(
        "--styles", action="store_true", help="the names of a stylizer's styles instead"
    )
    add_model(parser, "--model", "stylization", note=", with --styles")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options):
    """Prints the pretrained models, or the styles of one."""
    if options.styles:
        return _list_styles(options)
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
                    "bytes": summary.bytes,
                    "headline": summary.headline,
                    "measured": [asdict(figure) for figure in summary.measured],
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
        size = f"{summary.bytes / 1e6:.1f} MB"
        say(f"{name}  ({summary.family}; {ranges}; {size})")
        for line in (summary.headline, *summary.measured):
            if line:
                say(f"    {line}")
    if not summaries:
        say("no pretrained model is installed")
    return 0


def _list_styles(options):
    from yoto_tf.zoo.stylization.styles import style_names

    names = style_names(options.model)
    if options.json:
        print_json(names)
    else:
        for name in names:
            say(name)
    return 0

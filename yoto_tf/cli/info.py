"""`yoto info`"""

from yoto_tf.cli.output import print_json, say


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "info", help="what is in a .yoto file, without decoding it"
    )
    parser.add_argument("source", metavar="IN", help="a .yoto file")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options):
    """Prints what the file says of itself."""
    from yoto_tf.zoo.codec.files import describe

    file = describe(options.source)
    if options.json:
        print_json(file)
        return 0
    say(f"picture  {file['width']} × {file['height']} pixels")
    say(f"file     {file['bytes']:,} bytes, {file['bits_per_pixel']:.4g} bits/pixel")
    if file["coefficients"]:
        model = file["model"] or "not among the pretrained ones"
        say(f"model    {model}, id {file['model_id']}")
    if "second_layer" in file:
        say(f"layer    {file['second_layer']}")
    if "metadata" in file:
        say(f"holds    {', '.join(file['metadata'])}")
    for name, value in file["coefficients"].items():
        say(f"{name} = {value:g}")
    return 0

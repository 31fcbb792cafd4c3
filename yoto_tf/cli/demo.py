"""`yoto demo`"""

from pathlib import Path

from yoto_tf.cli.output import print_json, print_table, say
from yoto_tf.cli.parser import add_no_clobber, add_threads, add_volume
from yoto_tf.cli.startup import import_keras
from yoto_tf.errors import YotoError


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "demo",
        help="compress a photograph at five trade-offs, or serve a page with sliders",
        description="Compresses a photograph at five trade-offs with one network; or, "
        "with --web, serves a page with sliders for all pretrained models.",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("yoto-demo"),
        metavar="DIR",
        help="where the files go (default: yoto-demo)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--web", action="store_true", help="serve the page (needs the extra `web`)"
    )
    parser.add_argument(
        "--host",
        metavar="H",
        help="with --web: address to listen on; 0.0.0.0 lets other machines reach it "
        "(default: 127.0.0.1)",
    )
    parser.add_argument(
        "--port", type=int, metavar="P", help="with --web: (default: 7860)"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        dest="allow_hosts",
        metavar="NAME",
        help="with --web: a name under which the page is reached, such as a proxy's; "
        "may be given several times (default: this machine's own names)",
    )
    add_no_clobber(parser)
    add_threads(parser)
    add_volume(parser)
    parser.set_defaults(run=run)


def run(options):
    """Serves the page, or compresses the photograph and prints what it took."""
    where = {
        "host": options.host,
        "port": options.port,
        "allow_hosts": options.allow_hosts,
    }
    where = {name: value for name, value in where.items() if value is not None}
    if options.web:
        from yoto_tf.demo.web import launch

        launch(**where)
        return 0
    if where:
        option = next(iter(where)).rstrip("s").replace("_", "-")
        raise YotoError(f"--{option} goes with --web")
    import_keras(options.threads)
    from yoto_tf.demo.demonstration import PICTURE, demonstrate

    rows = demonstrate(options.out, clobber=not options.no_clobber)
    if options.json:
        print_json(rows)
        return 0
    name = next(iter(rows[0]))
    head = (name, "bytes", "bits/pixel", "PSNR (dB)", "encode (s)", "decode (s)")
    table = [
        (
            f"{row[name]:.4f}",
            f"{row['bytes']:,}",
            f"{row['bits_per_pixel']:.3f}",
            f"{row['psnr']:.2f}",
            f"{row['encode_seconds']:.2f}",
            f"{row['decode_seconds']:.2f}",
        )
        for row in rows
    ]
    print_table([head, *table])
    if not options.quiet:
        print()
        say(f"The compressed files and {PICTURE} are in {options.out}")
    return 0

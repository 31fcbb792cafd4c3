"""`yoto demo`"""

from pathlib import Path

from yoto_tf.cli.output import print_json, print_table


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "demo",
        help="compress a photograph at five trade-offs with one network",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("yoto-demo"),
        metavar="DIR",
        help="where the files go (default: yoto-demo)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options):
    """Compresses the photograph, decodes it again, and prints what it took."""
    from yoto_tf.zoo.demo import PICTURE, demonstrate

    rows = demonstrate(options.out)
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
    print(f"\nThe compressed files and {PICTURE} are in {options.out}")
    return 0

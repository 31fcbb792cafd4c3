import json


def manifest(folder):
    """What an export says of its files and signatures."""
    return json.loads((folder / "yoto.json").read_text("utf-8"))

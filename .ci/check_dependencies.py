"""Checks who imports whom: cli, demo → export, zoo → yoto_tf; TensorFlow late.

- Rooms stand on `FLOORS`: a room imports from those below it and from none beside it.
- Under `yoto_tf/` and `zoo/`, no module imports TensorFlow while it is itself being
  imported: what needs no TensorFlow works where there is none.
- No family of the zoo imports another.
- `zoo/families.py`, the table of families, names what lies above it by strings. Every
  one of them is there.
- No module but `yoto_tf/resolver.py` imports by a string.

Prints a line for each violation; the exit status is 1 if there is one.
"""

import ast
import sys
from pathlib import Path

# From the ground up: folders, and the modules of the root, which is the paper's method.
FLOORS = (
    ("errors", "resolver"),
    ("registered",),
    ("distributions", "former_names", "machine", "scalarization"),
    ("annealing", "conditional_network"),
    ("coefficients",),
    ("data", "entropy", "imaging", "layers", "objectives"),
    ("loss_conditional_model", "modulation"),
    ("baking", "conditioning"),
    ("training",),
    ("tradeoff",),
    ("zoo",),
    ("bulk", "export"),
    ("demo",),
    ("cli",),
)
FLOOR = {room: number for number, floor in enumerate(FLOORS) for room in floor}
TABLE = "zoo/families.py"
RESOLVER = "yoto_tf/resolver.py"
BY_STRING = ("import_module", "resolve_name", "__import__")
PLACES = ("yoto_tf", "zoo", "export")
LATE = ("tensorflow", "tensorflow_compression_ops", "tensorflow_datasets", "tf_keras")


def violations(root):
    """Yields a line for each forbidden import in the repository at `root`."""
    root = Path(root)
    table = _table(root)
    families = [fields["package"] for _, fields in table if "package" in fields]
    for path in sorted(p for top in PLACES for p in root.glob(f"{top}/**/*.py")):
        place = path.relative_to(root)
        top, *inner = place.with_suffix("").parts
        # `zoo` and `export` are installed as parts of the package.
        package = ["yoto_tf", *([] if top == "yoto_tf" else [top]), *inner[:-1]]
        own = next((f for f in families if _is_in(".".join(package), [f])), None)
        room = [*package, *inner[-1:]][1]
        if room not in (*FLOOR, "__init__"):
            yield f"{place}:1: {room} stands on no floor: list it in FLOORS"
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        for line, module in _imports(ast.walk(tree), package):
            if problem := _out_of_order(room, module):
                yield f"{place}:{line}: imports {module}, which {problem}"
            if own and _is_in(module, [name for name in families if name != own]):
                yield f"{place}:{line}: imports {module}, which is of another family"
        if top != "export":
            for line, module in _imports(_executed_at_import(tree), package):
                if _is_in(module, LATE):
                    yield f"{place}:{line}: imports {module} while it is being imported"
        if place.as_posix() != RESOLVER:
            for line, function in _functions_by_string(tree):
                yield f"{place}:{line}: imports by a string ({function})"
    for line, fields in table:
        for field, name in fields.items():
            if not _is_there(root, name, is_package=field == "package"):
                yield f"{TABLE}:{line}: names {name}, which is not there"


def _out_of_order(room, module):
    """What is wrong with an import by a room, or None."""
    other = f"{module}.".split(".")[1]
    if not module.startswith("yoto_tf.") or other == room:
        return None
    if room not in FLOOR or other not in FLOOR or FLOOR[other] < FLOOR[room]:
        return None
    return "builds upon it" if FLOOR[other] > FLOOR[room] else "stands beside it"


def _table(root):
    """(line, {field: dotted name}) of every `Family` that the table makes."""
    path = root / TABLE
    if not path.exists():
        return []
    return [
        (
            call.lineno,
            {
                keyword.arg: keyword.value.value
                for keyword in call.keywords
                if isinstance(keyword.value, ast.Constant)
                and str(keyword.value.value).startswith("yoto_tf.")
            },
        )
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Family"
    ]


def _is_there(root, name, is_package):
    """Whether there is such a package, or a module that defines such a name."""
    module, _, attribute = name.partition(":")
    # `zoo` and `export` are installed as parts of the package.
    parts = module.split(".")[1:]
    path = root.joinpath(*([] if parts[0] in PLACES else ["yoto_tf"]), *parts)
    init = path / "__init__.py"
    if is_package:
        return init.exists()
    path = init if init.exists() else path.with_suffix(".py")
    if not path.exists():
        return False
    defined = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            defined.add(node.name)
        elif isinstance(node, ast.Assign):
            defined.update(getattr(target, "id", None) for target in node.targets)
    return attribute in defined


def _functions_by_string(tree):
    """(line, name) wherever one of `BY_STRING` is used."""
    for node in ast.walk(tree):
        name = getattr(node, "id", None) or getattr(node, "attr", None)
        if name in BY_STRING:
            yield node.lineno, name


def _imports(nodes, package):
    """(line, absolute name) of every module, or name in one, that is imported."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            origin = package[: len(package) + 1 - node.level] if node.level else []
            module = [node.module] if node.module else []
            for name in node.names:
                yield node.lineno, ".".join([*origin, *module, name.name])


def _executed_at_import(node):
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield child
            yield from _executed_at_import(child)


def _is_in(module, packages):
    return any(module == p or module.startswith(f"{p}.") for p in packages)


def main():
    found = list(violations(Path(__file__).parent.parent))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

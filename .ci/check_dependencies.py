"""Checks who imports whom: cli → zoo, export → yoto_tf; TensorFlow late or not at all.

- Under `yoto_tf/`, only the command line may import `yoto_tf.zoo` or `yoto_tf.export`.
- Under `yoto_tf/` and `zoo/`, no module imports TensorFlow while it is itself being
  imported: what needs no TensorFlow works where there is none.

Prints a line for each violation; the exit status is 1 if there is one.
"""

import ast
import sys
from pathlib import Path

ABOVE = ("yoto_tf.zoo", "yoto_tf.export")
LATE = ("tensorflow", "tensorflow_compression_ops", "tensorflow_datasets", "tf_keras")


def violations(root):
    """Yields a line for each forbidden import in the repository at `root`."""
    root = Path(root)
    for path in sorted([*root.glob("yoto_tf/**/*.py"), *root.glob("zoo/**/*.py")]):
        place = path.relative_to(root)
        top, *inner = place.with_suffix("").parts
        # `zoo` is installed as a part of the package.
        package = ["yoto_tf", *([] if top == "yoto_tf" else [top]), *inner[:-1]]
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        if top == "yoto_tf" and inner[0] != "cli":
            for line, module in _imports(ast.walk(tree), package):
                if _is_in(module, ABOVE):
                    yield f"{place}:{line}: imports {module}, which builds upon it"
        for line, module in _imports(_executed_at_import(tree), package):
            if _is_in(module, LATE):
                yield f"{place}:{line}: imports {module} while it is being imported"


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

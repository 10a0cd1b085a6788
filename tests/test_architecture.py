"""The rooms keep to their imports: read from every file, so that no file can forget."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "leukemia_app"

BASE = frozenset({"errors", "logins", "hub_names", "state_folder", "settings"})
ENGINE = frozenset({"archives", "imaging", "networks", "data", "bundles", "evaluation", "training"})
ROOMS = {
    "errors": frozenset(),
    "logins": frozenset(),
    "hub_names": frozenset(),
    "state_folder": frozenset({"errors"}),
    "settings": frozenset({"errors", "logins", "hub_names", "state_folder"}),
    "archives": BASE,
    "imaging": BASE,
    "networks": BASE,
    "data": BASE | {"archives", "imaging"},
    "bundles": BASE | {"archives", "imaging", "networks"},
    "evaluation": BASE | {"archives", "imaging", "networks", "bundles"},
    "training": BASE | ENGINE - {"training"},
    "api": BASE | ENGINE,
    "ui": BASE | ENGINE | {"api"},
    "cli": BASE | ENGINE | {"api"},
    "__init__": frozenset({"api"}),
    "__main__": frozenset({"cli"}),
}
"""Which rooms a room may import, itself apart."""

OUTSIDE = {
    "errors": frozenset(),
    "logins": frozenset(),
    "hub_names": frozenset(),
    "state_folder": frozenset(),
    "settings": frozenset(),
    "archives": frozenset(),
    "imaging": frozenset({"numpy", "PIL", "cv2"}),
    "networks": frozenset({"keras"}),
    "data": frozenset({"numpy", "cv2"}),
    "bundles": frozenset({"numpy", "keras", "ai_edge_litert", "h5py"}),
    "evaluation": frozenset({"numpy", "scipy", "sklearn", "cv2", "PIL"}),
    "training": frozenset({"numpy", "cv2", "keras", "sklearn", "scipy"}),
    "api": frozenset({"numpy"}),
    "ui": frozenset({"numpy", "gradio", "fastapi", "starlette", "uvicorn"}),
    "cli": frozenset({"numpy"}),
    "__init__": frozenset(),
    "__main__": frozenset(),
}
"""Which libraries beside Python's own a room may import."""

ONE_FILE_ONLY = {
    "xgboost": {"evaluation/baselines.py"},
    "trackio": {"cli_export.py"},
    "tensorflow": {"bundles/export.py", "bundles/device.py", "training/replicas.py"},
    "huggingface_hub": {
        "bundles/hub_client.py",
        "bundles/hub_push.py",
        "bundles/hub_words.py",
        "ui/hub_examples.py",
    },
    "httpx2": {"bundles/hub_words.py", "ui/hub_examples.py"},  # whose errors its client passes on
}
"""Libraries that only the named files may import, whatever their room."""

NEVER = frozenset({"pickle", "cPickle", "dill", "cloudpickle", "joblib", "torch", "requests"})


@dataclass(frozen=True, kw_only=True)
class Import:
    """One import statement: the file, the module asked for, and where in the file."""

    file: str
    room: str
    module: str
    line: int
    inside_function: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def room_of(relative: str) -> str:
    """The room of a file: its folder, or its own name; cli_pictures.py belongs to cli."""
    first = relative.split("/")[0].removesuffix(".py")
    return "cli" if first.startswith("cli_") else first


def imports_in(path: Path) -> Iterator[Import]:
    relative = path.relative_to(PACKAGE).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    late = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            # `from leukemia_app import api` names a room only in its second half
            modules = (
                [f"{base}.{alias.name}" for alias in node.names] if "." not in base else [base]
            )
        else:
            continue
        for module in modules:
            yield Import(file=relative, room=room_of(relative), module=module, line=node.lineno,
                         inside_function=id(node) in late)  # fmt: skip


IMPORTS = [found for path in sorted(PACKAGE.rglob("*.py")) for found in imports_in(path)]
OWN = [found for found in IMPORTS if found.module.split(".")[0] == "leukemia_app"]
FOREIGN = [
    found
    for found in IMPORTS
    if found.module.split(".")[0] not in sys.stdlib_module_names | {"leukemia_app"}
]


def target_room(found: Import) -> str:
    parts = found.module.split(".")
    return room_of(parts[1]) if len(parts) > 1 else "__init__"


def said(broken: list[Import]) -> str:
    return "\n".join(map(str, broken))


def test_every_file_lies_in_a_known_room():
    unknown = {room_of(path.relative_to(PACKAGE).as_posix()) for path in PACKAGE.rglob("*.py")}
    assert unknown <= set(ROOMS), f"name the room and its rules here: {unknown - set(ROOMS)}"


def test_imports_between_rooms_point_down_only():
    starts_the_page = [found for found in OWN if found.file == "cli.py" and found.inside_function]
    broken = [
        found
        for found in OWN
        if target_room(found) not in ROOMS[found.room] | {found.room, "__init__"}
        and not (found in starts_the_page and target_room(found) == "ui")
    ]
    assert not broken, said(broken)


def test_the_rooms_have_no_circle():
    above: set[str] = set()
    for room in ("errors", "logins", "hub_names", "state_folder", "settings", "archives", "imaging",
                 "networks",
                 "data", "bundles", "evaluation", "training", "api", "ui", "cli"):  # fmt: skip
        assert ROOMS[room] <= above | BASE, room
        above.add(room)


def test_nothing_imports_the_page_but_the_serve_command():
    importers = {found.file for found in OWN if target_room(found) == "ui" and found.room != "ui"}
    assert importers <= {"cli.py"}


def test_each_room_uses_only_its_own_libraries():
    broken = [
        found
        for found in FOREIGN
        if found.module.split(".")[0] not in OUTSIDE[found.room]
        and found.file not in ONE_FILE_ONLY.get(found.module.split(".")[0], set())
        and not (found.file == "evaluation/explain.py" and found.module.startswith("keras"))
    ]
    assert not broken, said(broken)


@pytest.mark.parametrize("library", sorted(ONE_FILE_ONLY))
def test_a_heavy_library_is_named_in_its_own_files_only(library: str):
    users = {found.file for found in FOREIGN if found.module.split(".")[0] == library}
    assert users <= ONE_FILE_ONLY[library]


def test_nothing_is_unpickled():
    broken = [found for found in IMPORTS if found.module.split(".")[0] in NEVER]
    assert not broken, said(broken)


def test_networks_compute_without_numpy_or_a_backend():
    broken = [
        found
        for found in FOREIGN
        if found.room == "networks" and not found.module.startswith("keras")
    ]
    assert not broken, said(broken)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_no_file_is_named_for_nothing(path: Path):
    assert path.stem not in {"utils", "helpers", "manager", "common", "misc"}


def test_app_py_only_builds_and_launches():
    assert len((ROOT / "app.py").read_text(encoding="utf-8").splitlines()) < 30


@pytest.mark.parametrize("statement", ["import leukemia_app", "from leukemia_app import classify",
                                       "import leukemia_app.cli"])  # fmt: skip
def test_a_cheap_import_stays_cheap(statement: str):
    heavy = "{'gradio', 'keras', 'tensorflow', 'cv2', 'sklearn', 'ai_edge_litert', 'PIL'}"
    code = f"import sys; {statement}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          timeout=60, check=True)  # fmt: skip
    assert done.stdout.strip() == "[]"

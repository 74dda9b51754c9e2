import hashlib
from pathlib import Path

import sbir_gate.pages

FOLDER = Path(sbir_gate.pages.__file__).parent / "plotly"
NAME = "plotly.js-basic-dist-min"


def test_the_drawing_library_is_the_published_file():
    """`make plotly VERSION=...` writes all three files: change none of them by hand."""
    package, *digests = (FOLDER / "version.txt").read_text(encoding="utf-8").splitlines()
    name, version = package.split()
    assert name == NAME
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.iterdir()}
    del found["version.txt"]
    assert {file: digest for digest, file in (line.split() for line in digests)} == found
    assert f"v{version}\n" in (FOLDER / "plotly-basic.min.js").read_text(encoding="utf-8")[:200]
    assert "MIT License" in (FOLDER / "LICENSE").read_text(encoding="utf-8")

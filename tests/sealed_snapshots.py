"""Snapshots that were changed, with every checksum made anew: what a forger would do."""

import hashlib
import json
from pathlib import Path


def sealed(folder: Path) -> None:
    """Write the manifests anew, as someone who forges a snapshot would."""
    files = sorted(path for path in (folder / "data").rglob("*") if path.is_file())
    told = json.loads((folder / "snapshot.json").read_text("utf-8"))
    for one in told["files"]:
        data = (folder / one["path"]).read_bytes()
        one["sha512"] = hashlib.sha512(data).hexdigest()
    (folder / "snapshot.json").write_text(json.dumps(told), "utf-8")
    listed = [(path, path.relative_to(folder)) for path in files]
    (folder / "manifest-sha512.txt").write_text(_manifest(listed), "utf-8")
    size = sum(path.stat().st_size for path in files)
    info = (folder / "bag-info.txt").read_text("utf-8").splitlines()
    info[-1] = f"Payload-Oxum: {size}.{len(files)}"
    (folder / "bag-info.txt").write_text("\n".join(info) + "\n", "utf-8")
    tags = [
        (path, path.relative_to(folder))
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith("tagmanifest")
    ]
    (folder / "tagmanifest-sha512.txt").write_text(_manifest(tags), "utf-8")


def _manifest(files: list[tuple[Path, Path]]) -> str:
    return "".join(
        f"{hashlib.sha512(path.read_bytes()).hexdigest()}  {name}\n" for path, name in files
    )

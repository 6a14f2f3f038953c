"""Build the kube-apiserver of another Kubernetes version, for `make test-versions`.

Its go.mod is made from the release's own: a `replace` for each staging module, and nothing else.
KUBEBUILDER_ASSETS set to the folder puts it beside the newest of all other programs.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.cluster.controlplane import build, programs
from tests.cluster.controlplane.build import BuildError
from tests.cluster.controlplane.programs import Program

API_SERVER = Program(
    name="kube-apiserver", module="", package="k8s.io/kubernetes/cmd/kube-apiserver"
)


def build_api_server(version: str) -> Path:
    """Return the folder that holds kube-apiserver in a version such as `v1.33.13`."""
    folder = programs.cache_root() / f"{version}-kube-apiserver"
    target = folder / API_SERVER.name
    if not target.exists():
        with build.locked(folder):
            if not target.exists():
                go = build.find_go()
                module = folder / "module"
                module.mkdir(exist_ok=True)
                (module / "go.mod").write_text(go_mod(go, version))
                run(go, module, "mod", "tidy")
                label = f"kube-apiserver {version}"
                build.compile_program(go, API_SERVER, target, label, module=module, version=version)
    return folder


def go_mod(go: Path, version: str) -> str:
    """Return a go.mod in which the staging modules of a release are found."""
    told = run(go, programs.MODULES, "mod", "download", "-json", f"k8s.io/kubernetes@{version}")
    original = Path(json.loads(told)["GoMod"]).read_text("utf-8")
    staged = re.findall(r"^\s*(k8s\.io/\S+) => \./staging/", original, re.MULTILINE)
    debug = re.search(r"^godebug .*$", original, re.MULTILINE)
    lines = [
        f"module hybrid-guard/{version}",
        "go " + ".".join(map(str, build.GO_NEEDED)),
        debug[0] if debug else "",
        f"tool {API_SERVER.package}",
        f"require k8s.io/kubernetes {version}",
        *(f"replace {name} => {name} v0.{version.removeprefix('v1.')}" for name in staged),
    ]
    return "\n".join(lines) + "\n"


def run(go: Path, folder: Path, *arguments: str) -> str:
    """Run go in a folder and return what it prints."""
    build.say(f"go {' '.join(arguments)}")
    done = subprocess.run(
        [go, *arguments],
        cwd=folder,
        env=build.go_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"go {' '.join(arguments)}: {done.stderr[-2000:]}")
    return done.stdout

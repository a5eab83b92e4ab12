"""How the Python client lays out its cache, and whether it and ours find each other's files.

    python cache_layout.py           writes layout.json: the cache after the Python client's pull
    python cache_layout.py --check   pulls with both clients, and lets each read the other's cache offline

Made with huggingface_hub 2.4.0, Python 3.11. Nothing leaves this machine: both clients pull from serve.ts.
Needs the project's Node 24 first on the PATH.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
MAIN = HERE / "../../../src/cli/main.ts"
NAME = "owner/net-1.5"


def environment(endpoint, cache, offline=False):
    """A clean environment: no token, no proxy, this cache."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HF_") and "proxy" not in k.lower()}
    return kept | {
        "HF_ENDPOINT": endpoint,
        "HF_HUB_CACHE": str(cache),
        "HF_HOME": str(cache),
        "HF_HUB_OFFLINE": "1" if offline else "0",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_XET": "1",
    }


def python(code, env):
    subprocess.run([sys.executable, "-c", code], env=env, check=True)


def eve(*arguments, env):
    result = subprocess.run(
        ["node", str(MAIN), "pull", *arguments, "--json"], env=env, check=True, stdout=subprocess.PIPE, text=True
    )
    return [json.loads(line) for line in result.stdout.splitlines()]


def layout(cache):
    """Every file of the repository's folder: where a link points to, or what a file contains."""
    root = cache / "models--owner--net-1.5"
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = "-> " + os.readlink(path)
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


PULL = f"from huggingface_hub import snapshot_download; snapshot_download({NAME!r})"

READ = f"""
from pathlib import Path
from huggingface_hub import hf_hub_download, snapshot_download, try_to_load_from_cache
folder = Path(snapshot_download({NAME!r}))
assert len([p for p in folder.rglob("*") if p.is_file()]) == 5, folder
one = hf_hub_download({NAME!r}, "unet/deep/er/model.safetensors")
assert Path(one).stat().st_size == 70_000
assert try_to_load_from_cache({NAME!r}, "config.json") == str(folder / "config.json")
print("python reads", folder)
"""


def main():
    server = subprocess.Popen(
        ["node", str(HERE / "serve.ts")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    endpoint = server.stdout.readline().strip()
    with tempfile.TemporaryDirectory() as folder:
        theirs, ours = Path(folder) / "theirs", Path(folder) / "ours"
        python(PULL, environment(endpoint, theirs))
        if "--check" not in sys.argv:
            text = json.dumps(layout(theirs), indent=1) + "\n"
            (HERE / "layout.json").write_text(text)
            print(text)
        else:
            eve(NAME, "--file", "*", env=environment(endpoint, ours))
            assert layout(ours) == layout(theirs), (layout(ours), layout(theirs))
            python(READ, environment(endpoint, ours, offline=True))
            for offline in (True, False):
                events = eve(NAME, "--file", "*", env=environment(endpoint, theirs, offline))
                assert events[-1]["receivedBytes"] == 0 and events[-1]["files"] == 5, events
                print("eve reads, offline" if offline else "eve reads, online", events[-1])
            # what was pulled by the one at another commit's name is linked, not fetched, by the other
            snapshots = theirs / "models--owner--net-1.5" / "snapshots"
            (snapshots / ("c0ffee" + 34 * "0")).rename(snapshots / (40 * "1"))
            events = eve(NAME, "--file", "*", env=environment(endpoint, theirs))
            assert events[-1]["receivedBytes"] == 0, events
    server.stdin.close()
    server.wait()


if __name__ == "__main__":
    main()

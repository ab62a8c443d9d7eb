"""F24: what a process does whose disk takes nothing more. The limit on the size of files stands for the full disk: the
kernel refuses to write, as it does there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

LIMITED = """
import json, resource, sys
from pathlib import Path
from app import logs, observe
from app.api.recordings import Recordings
from app.errors import StoreError

def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

folder = Path(sys.argv[1])
recordings, refused = Recordings(folder, (b"key",)), []
sys.stderr = (folder / "log").open("w", buffering=1)
dropped = []
logs.set_up("json", dropped=lambda: dropped.append(1))
log = observe.log("strowger.test")
log.info("before")
room(4096)
for n in range(100):
    log.info("while it is full", n=n)
try:
    recordings.keep("CA1", bytes(8192))
except StoreError as error:
    refused.append(str(error))
left = [path.name for path in (folder / "kept").iterdir()]
room(resource.RLIM_INFINITY)
log.info("afterwards")
recordings.keep("CA2", bytes(8192))
print(json.dumps({"dropped": len(dropped), "refused": refused, "left": left}))
"""


def limited(folder: Path) -> dict[str, object]:
    run = [sys.executable, "-c", LIMITED, str(folder)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == "", "a line that cannot be written is nobody's traceback"
    return dict(json.loads(done.stdout))


def test_F24_logs_are_dropped_and_counted_half_a_recording_never_stays_and_it_heals(tmp_path: Path) -> None:
    found = limited(tmp_path)
    lines = (tmp_path / "log").read_text().splitlines()
    assert 0 < found["dropped"] < 100  # type: ignore[operator]
    assert '"said": "before"' in lines[0]
    assert '"said": "afterwards"' in lines[-1]
    assert found["refused"] == [f"The sound of call CA1 could not be kept in {tmp_path / 'kept'}: File too large."]
    assert found["left"] == []
    assert (tmp_path / "kept" / "CA2.wav").stat().st_size == 8192

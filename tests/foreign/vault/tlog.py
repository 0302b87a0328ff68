"""Audits the whole of a vault's log over HTTP with PyPI's aics-tlog, which none of us wrote: python tlog.py URL API_KEY

Theirs is the walk over every tile and every bundle of entries, the hashing, and the check of the signed checkpoint. Each resource is then spoiled by
one bit, and the audit must fail.
"""

import json
import random
import sys
from urllib.request import Request, urlopen

from aics_tlog import HttpTileReader, MemoryTileReader, TileVerificationError, audit_tiles, parse_note, parse_vkey, verify_checkpoint
from aics_tlog.checkpoint import checkpoint_from_note
from aics_tlog.tiles import entry_bundle_path, tile_path

URL, API_KEY = sys.argv[1].rstrip("/"), sys.argv[2]


class Kept(HttpTileReader):
    """Reads over HTTP, and keeps what it read by its path."""

    def __init__(self, url: str) -> None:
        super().__init__(url, proxies={})
        self.kept: dict[str, bytes] = {}

    def keep(self, path: str, data: bytes | None) -> bytes | None:
        if data is not None:
            self.kept[path] = data
        return data

    def read_tile(self, level: int, index: int, width: int | None) -> bytes | None:
        return self.keep(tile_path(level, index, width), super().read_tile(level, index, width))

    def read_entry_bundle(self, index: int, width: int | None) -> bytes | None:
        return self.keep(entry_bundle_path(index, width), super().read_entry_bundle(index, width))


def refused(tiles: dict[str, bytes], size: int, root: bytes) -> bool:
    try:
        audit_tiles(MemoryTileReader(tiles), size, root)
    except TileVerificationError:
        return True
    return False


with urlopen(Request(f"{URL}/v1/vault/log", headers={"Authorization": f"Bearer {API_KEY}"}), timeout=40) as answer:
    told = json.load(answer)
reader = Kept(f"{URL}/v1/vault/logs/{told['log']}")
text = reader.read_checkpoint()
for vkey in told["keys"]:
    verdict = verify_checkpoint(parse_note(text), parse_vkey(vkey), expected_origin=told["origin"])
    assert verdict.ok, verdict
checkpoint, _ = checkpoint_from_note(text)
report = audit_tiles(reader, checkpoint.size, checkpoint.root)
assert not refused(reader.kept, checkpoint.size, checkpoint.root)

chance = random.Random(1)
for path, data in reader.kept.items():
    spoiled = bytearray(data)
    spoiled[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    assert refused(reader.kept | {path: bytes(spoiled)}, checkpoint.size, checkpoint.root), f"{path} was spoiled, and the audit passed"
print(f"aics-tlog: {checkpoint.size} entries in {report.bundles} bundles under {report.tiles} tiles hold; each spoiled by one bit, none passed")

"""Cutting a worker's rows into parts of a shared object: each is whole rows, packed by itself, so any order fits."""

from service.exports.compress import make_packer
from service.exports.formats import Format
from service.storage.multipart import part_size
from service.storage.shared_parts import LEAST_PART_BYTES, PartSender


class PartCutter:
    """Packs rows and sends them as parts. Not for several threads; methods raise as the sender does."""

    def __init__(self, form: Format, sender: PartSender, part_bytes: int) -> None:
        """Nothing is sent before a part is long enough."""
        self.least_bytes = min(LEAST_PART_BYTES, part_bytes)
        self._form = form
        self._sender = sender
        self._part_bytes = part_bytes
        self._packer = make_packer(form.compression)
        self._part = bytearray()
        self._rows = 0
        self._is_empty = True

    @property
    def is_full(self) -> bool:
        """Whether a part is as long as it should be; the longer, the more there are already, of all workers."""
        return len(self._part) >= part_size(self._sender.highest_number + 1, self._part_bytes)

    @property
    def is_long_enough(self) -> bool:
        """Whether a part may stand before others."""
        return len(self._part) >= self.least_bytes

    def add(self, block: bytes | bytearray, rows: int) -> None:
        """Add whole rows as the format's COPY lays them out, or what stands before or behind all rows."""
        self._part += self._packer.compress(block)
        self._rows += rows
        self._is_empty = False

    def send(self) -> None:
        """Send what there is as one part, if there is anything."""
        part, rows = self.take()
        if part:
            self._sender.send(part, rows)

    def take(self) -> tuple[bytearray, int]:
        """What there is as one part and its rows, to be sent by the caller."""
        if self._is_empty:
            return bytearray(), 0
        self._part += self._packer.flush()
        part, rows = self._part, self._rows
        self._packer, self._part, self._rows, self._is_empty = make_packer(self._form.compression), bytearray(), 0, True
        return part, rows

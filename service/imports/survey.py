"""Survey: the stored bytes of a source are read once for what is in them and where its chunks lie."""

from schemas.entities import Entity
from schemas.options import ImportOptions
from schemas.vocabulary import FileType
from service.imports.formats.boundaries import ChunkSpan
from service.imports.formats.detect import Expected
from service.imports.formats.finder import SourceFinder
from service.imports.formats.header import check_header
from service.imports.formats.limits import Limits
from service.imports.formats.source_format import SourceFormat


class Survey:
    """Reads a source block by block: its header, its chunks."""

    def __init__(self, entity: Entity, file_type: FileType, options: ImportOptions, limits: Limits) -> None:
        """Begin at the first byte."""
        self._schema = entity.schema_for(options.mode)
        self._options = options
        self._finder = SourceFinder(limits, _expect(entity, file_type, options))
        self._header_checked = False
        self.length_bytes = 0
        self.spans: list[ChunkSpan] = []

    @property
    def header(self) -> tuple[str, ...]:
        """The names in the header of CSV as they stand there; empty for JSON."""
        return self._finder.header

    @property
    def format(self) -> SourceFormat:
        """How the bytes are read again; known at the end."""
        return self._finder.format

    @property
    def rows(self) -> int:
        """How many rows the chunks have."""
        return sum(span.row_count for span in self.spans)

    def read(self, block: bytes) -> None:
        """Take the next bytes; raises SourceRefusedError as soon as they cannot be imported."""
        self.length_bytes += len(block)
        self.spans.extend(self._finder.feed(block))
        self._check_header()

    def finish(self) -> None:
        """The source has ended; raises SourceRefusedError when it should not have."""
        self.spans.extend(self._finder.finish())
        self._check_header()

    def _check_header(self) -> None:
        if not self._header_checked and self.header:
            check_header(self._schema, self.header, self._options)
            self._header_checked = True


def _expect(entity: Entity, file_type: FileType, options: ImportOptions) -> Expected:
    return Expected(
        file_type,
        options.delimiter,
        options.quote,
        lambda name: name in options.mapping or entity.schema.knows(name),
    )

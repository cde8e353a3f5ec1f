"""`python -m service.cli` is `wharf`."""

from service.cli import main

main(prog_name="wharf")

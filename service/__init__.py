"""The core of Wharf and its HTTP edge."""

from importlib.metadata import version

__version__ = version("wharf")

"""The version of this package, said in the hello and read by the build."""

__version__ = "0.1.0"

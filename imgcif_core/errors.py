"""Exceptions for misuse of the library; a bad file gives findings instead."""


class ImgcifError(Exception):
    """Base of every exception that the package raises on purpose."""


class InputError(ImgcifError):
    """An input that cannot be read at all: one clear line, exit status 2."""


class OutputError(ImgcifError):
    """An output that cannot or must not be written: one clear line, exit status 2."""


class Ended(SystemExit):
    """The process was asked to end; nothing but the command itself stops this."""


class UsageError(ImgcifError):
    """A call with arguments that make no sense together."""

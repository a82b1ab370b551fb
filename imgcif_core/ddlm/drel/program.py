"""Methods made ready to run: parsed and translated once, kept by their text."""

import time
from collections.abc import Callable
from typing import Any

from imgcif_core.ddlm.drel.cache import NodeCache
from imgcif_core.ddlm.drel.errors import MethodError
from imgcif_core.ddlm.drel.nodes import Function, Statement
from imgcif_core.ddlm.drel.parse import parse
from imgcif_core.ddlm.drel.statements import Run, compile_function, compile_suite
from imgcif_core.ddlm.methods import Method, Methods

FunctionOf = Callable[..., Any]


class Program:
    """The methods of dictionaries as functions; what fails to parse is kept as its error."""

    def __init__(self, methods: Methods, *, cached: bool = True) -> None:
        self.methods = methods
        # The time that all blocks of a file share is counted from here.
        self.started = time.monotonic()
        self._cache = NodeCache(methods) if cached else None
        self._nodes: dict[str, tuple[Statement, ...] | MethodError] = {}
        self._runs: dict[str, Run | MethodError] = {}
        self._functions: dict[str, FunctionOf | MethodError | None] = {}

    def nodes(self, method: Method) -> tuple[Statement, ...]:
        """The statements of a method.

        Raises
        ------
        MethodError
            If its text is not dREL.
        """
        found = self._nodes.get(method.text)
        if found is None:
            found = self._nodes[method.text] = self._parsed(method)
        if isinstance(found, MethodError):
            raise found
        return found

    def _parsed(self, method: Method) -> tuple[Statement, ...] | MethodError:
        kept = self._cache.get(method.text) if self._cache is not None else None
        if kept is not None:
            return kept
        try:
            return parse(method.text)
        except MethodError as error:
            return error

    def run(self, method: Method) -> Run:
        """A function that runs a method in a frame.

        Raises
        ------
        MethodError
            If its text is not dREL.
        """
        found = self._runs.get(method.text)
        if found is None:
            try:
                found = compile_suite(self.nodes(method))
            except MethodError as error:
                found = error
            self._runs[method.text] = found
        if isinstance(found, MethodError):
            raise found
        return found

    def function(self, name: str) -> FunctionOf | None:
        """The function of the dictionary with this name in any case.

        Raises
        ------
        MethodError
            If its text is not dREL.
        """
        key = name.lower()
        if key not in self._functions:
            self._functions[key] = self._compiled_function(key)
        found = self._functions[key]
        if isinstance(found, MethodError):
            raise found
        return found

    def _compiled_function(self, name: str) -> FunctionOf | MethodError | None:
        for method in self.methods.of(f"_function.{name}", "Evaluation"):
            try:
                for statement in self.nodes(method):
                    if isinstance(statement, Function) and statement.name.lower() == name:
                        return compile_function(statement)
            except MethodError as error:
                return error
        return None

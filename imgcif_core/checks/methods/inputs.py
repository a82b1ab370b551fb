"""Inputs of the rules that run methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.registry import NotApplicable, NotChecked, provider
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.tables import Tables

if TYPE_CHECKING:
    from imgcif_core.ddlm.drel.program import Program
    from imgcif_core.ddlm.drel.world import World


@provider("method_dictionary")
def method_dictionary_of(dictionary: Dictionary, options: CheckOptions) -> Dictionary:
    """The dictionary with its methods, and with those for imgCIF where they apply."""
    if not options.methods:
        raise NotChecked("not asked for (--methods)")
    from imgcif_core.derive.dictionaries import with_own_methods

    chosen = with_own_methods(dictionary)
    if not chosen.methods:
        raise NotApplicable("the dictionary has no methods")
    return chosen


@provider("program")
def program_of(method_dictionary: Dictionary) -> Program:
    """The methods, ready to run for all blocks."""
    from imgcif_core.ddlm.drel.program import Program

    return Program(method_dictionary.methods)


@provider("world")
def world_of(tables: Tables, method_dictionary: Dictionary, program: Program) -> World:
    """The values of the block as methods see them."""
    from imgcif_core.ddlm.drel.world import World
    from imgcif_core.derive.store import TableStore

    return World(TableStore(tables), method_dictionary, program)

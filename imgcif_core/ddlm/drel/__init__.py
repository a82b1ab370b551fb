"""dREL: the methods of dictionaries, parsed, translated to closures and evaluated on the data of a block.

Nothing here is imported by a plain check. `parse` alone knows the parser generator; `translate` turns nodes
into functions that reach only the values of `world`; nothing of a method is ever run as Python.
"""

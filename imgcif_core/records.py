"""Data classes at a fraction of their cost: start-up is felt at every file.

The standard library writes and compiles half a dozen methods for each class, whether anybody uses it or not.
Here all methods but one are shared, and that one, `__init__`, is compiled when the first object of the class is
made. What a data class can be asked for (`fields`, `replace`, `asdict`, pickling) works as it does there.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass, field
    from functools import cached_property
else:
    from operator import attrgetter

    _NOTHING = object()
    _set = object.__setattr__

    class _Default:
        """What `field` says of one field."""

        __slots__ = ("options",)

        def __init__(self, options: dict[str, Any]) -> None:
            self.options = options

    class cached_property:
        """As `functools.cached_property`, without the lock that it takes at each first look."""

        def __init__(self, function: Any) -> None:
            self.function = function
            self.name = function.__name__
            self.__doc__ = function.__doc__

        def __set_name__(self, owner: type, name: str) -> None:
            self.name = name

        def __get__(self, instance: Any, owner: type | None = None) -> Any:
            if instance is None:
                return self
            value = instance.__dict__[self.name] = self.function(instance)
            return value

    def field(**options: Any) -> Any:
        """As `dataclasses.field`: default or default_factory, repr and compare."""
        return _Default(options)

    class _Fields:
        """The fields of a class as the standard library describes them, made when somebody asks."""

        def __get__(self, instance: Any, owner: type) -> dict[str, Any]:
            import dataclasses

            found = {}
            for name, (annotation, options) in owner.__record__.items():
                entry = dataclasses.field(**options)
                entry.name, entry.type, entry.kw_only = name, annotation, False
                entry._field_type = dataclasses._FIELD
                found[name] = entry
            return found

    def dataclass(cls: type | None = None, /, *, frozen: bool = False, slots: bool = False, eq: bool = True) -> Any:
        """As `dataclasses.dataclass`, of the options that are used here."""
        if cls is None:
            return lambda own: _made(own, frozen=frozen, slots=slots, eq=eq)
        return _made(cls, frozen=frozen, slots=slots, eq=eq)

    def _made(cls: type, *, frozen: bool, slots: bool, eq: bool) -> type:
        """The class with its methods, made anew where it has slots."""
        space = dict(cls.__dict__)
        fields: dict[str, tuple[Any, dict[str, Any]]] = {}
        for base in cls.__mro__[:0:-1]:
            fields |= base.__dict__.get("__record__", {})
        own = space.get("__annotations__", {})
        for name, annotation in own.items():
            value = space.get(name, _NOTHING)
            if isinstance(value, _Default):
                fields[name] = annotation, value.options
                space.pop(name)
                if "default" in value.options:
                    space[name] = value.options["default"]
            else:
                fields[name] = annotation, {} if value is _NOTHING else {"default": value}
        inherited = {name for base in cls.__mro__[1:-1] for name in getattr(base, "__slots__", ())}
        if slots:
            for name in own:
                space.pop(name, None)
            space["__slots__"] = tuple(name for name in fields if name not in inherited)
            for name in ("__dict__", "__weakref__"):
                space.pop(name, None)
        space |= {"__record__": fields, "__dataclass_fields__": _Fields(), "__match_args__": tuple(fields)}
        shown = [name for name, (_, options) in fields.items() if options.get("repr", True)]
        compared = [name for name, (_, options) in fields.items() if options.get("compare", True)]
        space.setdefault("__repr__", _repr_of(shown))
        if eq:
            values = _values_of(compared)
            # A class that defines __eq__ has __hash__ set to None by Python itself.
            if "__eq__" in space and space.get("__hash__") is None:
                space.pop("__hash__", None)
            space.setdefault("__eq__", _eq_of(values))
            space.setdefault("__hash__", _hash_of(values) if frozen else None)
        if frozen:
            space |= {"__setattr__": _refuse, "__delattr__": _refuse}
            if slots:
                space.setdefault("__getstate__", _state)
                space.setdefault("__setstate__", _restore)
        if slots:
            qualname = space.pop("__qualname__", cls.__qualname__)
            made = type(cls)(cls.__name__, cls.__bases__, space)
            made.__qualname__ = qualname
        else:
            made = cls
            for name in fields:
                if name not in space and name in cls.__dict__:
                    delattr(cls, name)
            for name, value in space.items():
                if cls.__dict__.get(name, _NOTHING) is not value:
                    setattr(cls, name, value)
        if "__init__" not in cls.__dict__:
            made.__init__ = _first_init(made, frozen=frozen)
        return made

    def _first_init(cls: type, *, frozen: bool) -> Any:
        """An `__init__` that compiles the real one, puts it into its own place and calls it."""

        def __init__(self: Any, *arguments: Any, **named: Any) -> None:
            cls.__init__ = _init_of(cls, frozen=frozen)
            cls.__init__(self, *arguments, **named)

        return __init__

    def _init_of(cls: type, *, frozen: bool) -> Any:
        """The `__init__` of a class, compiled."""
        known: dict[str, Any] = {"_set": _set, "_nothing": _NOTHING}
        parameters, lines = ["self"], []
        for index, (name, (_, options)) in enumerate(cls.__record__.items()):
            value = name
            if "default_factory" in options:
                known[f"_make{index}"] = options["default_factory"]
                parameters.append(f"{name}=_nothing")
                value = f"_make{index}() if {name} is _nothing else {name}"
            elif "default" in options:
                known[f"_default{index}"] = options["default"]
                parameters.append(f"{name}=_default{index}")
            else:
                parameters.append(name)
            lines.append(f"  _set(self, {name!r}, {value})" if frozen else f"  self.{name} = {value}")
        if hasattr(cls, "__post_init__"):
            lines.append("  self.__post_init__()")
        exec(f"def __init__({', '.join(parameters)}):\n" + ("\n".join(lines) or "  pass"), known)
        return known["__init__"]

    def _values_of(names: list[str]) -> Any:
        """A function that gives the values of some fields as one."""
        if len(names) > 1:
            return attrgetter(*names)
        return lambda self: tuple(getattr(self, name) for name in names)

    def _repr_of(names: list[str]) -> Any:
        def __repr__(self: Any) -> str:
            parts = (f"{name}={getattr(self, name)!r}" for name in names)
            return f"{type(self).__qualname__}({', '.join(parts)})"

        return __repr__

    def _eq_of(values: Any) -> Any:
        def __eq__(self: Any, other: Any) -> Any:
            return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

        return __eq__

    def _hash_of(values: Any) -> Any:
        def __hash__(self: Any) -> int:
            return hash(values(self))

        return __hash__

    def _refuse(self: Any, name: str, *_: Any) -> None:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot change field {name!r}")

    def _state(self: Any) -> list[Any]:
        return [getattr(self, name) for name in self.__record__]

    def _restore(self: Any, state: list[Any]) -> None:
        for name, value in zip(self.__record__, state):
            _set(self, name, value)


__all__ = ["cached_property", "dataclass", "field"]

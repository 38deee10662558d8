"""The Jinja of models by hand, rendered without dbt, in bounded time and memory, or not at all.

Only what an allow-list has is rendered: its pieces cannot reach into Python, and cannot grow but by what a budget pays.
Values that dbt alone knows (variables, the target, whether a build is incremental) are never guessed: they are rendered
as a mark, and a choice that hangs on them is taken both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, Final

#: stands in rendered SQL for a text that dbt alone knows; a number that it alone knows is digits
UNKNOWN: Final = "fsync_unknown"
UNKNOWN_NUMBER: Final = "90571209571320957"

#: characters of a template, and of what comes of it
LONGEST: Final = 200_000
#: what loops may run and texts may grow, in characters and rounds
_BUDGET: Final = 1_000_000
#: choices that hang on what dbt alone knows: each doubles the renderings
_CHOICES: Final = 3

#: functions whose results dbt alone knows
_ASKING: Final = frozenset({"is_incremental", "var", "env_var"})
_FUNCTIONS: Final = frozenset({"ref", "source", "range", *_ASKING})
_METHODS: Final = frozenset({"items", "keys", "values", "append", "lower", "upper", "strip", "startswith", "endswith"})
#: filters of a text, of which a value that is not known has a mark: what they make of the mark still has it
_OF_TEXTS: Final[Mapping[str, Callable[[str], str]]] = {"lower": str.lower, "upper": str.upper, "trim": str.strip}
_OF_ITEMS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "length": len,
    "count": len,
    "list": list,
    "first": lambda items: next(iter(items)),
    "last": lambda items: list(items)[-1],
    "unique": lambda items: list(dict.fromkeys(items)),
    "sort": sorted,
    "reverse": lambda items: items[::-1],
}
_FILTERS: Final = frozenset({*_OF_TEXTS, *_OF_ITEMS, "join", "replace"})
_TESTS: Final = frozenset({"defined", "undefined", "none", "string", "number", "in", "mapping", "sequence"})
_NODES: Final = frozenset(
    {"Template", "Output", "TemplateData", "For", "If", "Assign", "AssignBlock", "ExprStmt"}
    | {"Const", "Name", "Call", "List", "Tuple", "Dict", "Pair", "Keyword", "Compare", "Operand", "Not", "And", "Or"}
    | {"Filter", "Test", "Getattr", "Getitem", "Slice", "Concat", "Add", "Sub", "Mul", "Neg", "CondExpr"}
)
#: what a list may be made of: not of names, or a few lines make one that no memory holds
_IN_LISTS: Final = frozenset({"Const", "Call", "List", "Tuple", "Dict", "Pair", "Neg"})

#: from a call's name (`ref` or `source`) and its arguments to the text in its place; ValueError where there is none
Reader = Callable[..., str]


class _Refused(Exception):
    """A template asks for more than is rendered here."""


@dataclass(frozen=True, eq=False)
class Unknown:
    """A value that dbt alone knows. It can be written, and nothing else."""

    text: str = UNKNOWN

    def __str__(self) -> str:
        return self.text

    def __getattr__(self, name: str) -> Unknown:
        if name.startswith("_"):
            raise AttributeError(name)
        return Unknown()

    def __bool__(self) -> bool:
        raise _Refused

    def __eq__(self, other: object) -> bool:
        raise _Refused


@dataclass
class _Budget:
    left: int = _BUDGET

    def spend(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise _Refused

    def sized(self, value: Any) -> Any:
        self.spend(len(value))
        return value

    def rounds(self, items: Any, cost: int) -> Iterator[Any]:
        if isinstance(items, Unknown):
            raise _Refused
        for item in items:
            self.spend(cost)
            yield item

    def written(self, value: Any) -> Any:
        """What `{{ … }}` writes: the repr of a list may be far longer than the list."""
        if not isinstance(value, str | int | float | Unknown | None) and not _is_undefined(value):
            raise _Refused
        self.spend(len(str(value)))
        return value


def render(text: str, read: Reader) -> tuple[str, ...]:
    """What a template may come to, each text once: one for every way that choices can go that dbt alone knows.

    Nothing where it cannot be rendered: it calls a macro, or takes more than its share of time or memory.
    """
    from jinja2 import TemplateError

    found: dict[str, None] = {}
    try:
        tests = _tests(text)
        for chosen in product((False, True), repeat=len(tests)):
            found[_rendered(text, read, dict(zip(tests, chosen, strict=True)))] = None
    except (_Refused, TemplateError, ArithmeticError, TypeError, ValueError, LookupError, AttributeError):
        return ()
    except (RecursionError, MemoryError):
        return ()
    return tuple(found)


def _tests(text: str) -> tuple[str, ...]:
    """The tests in a template that hang on what dbt alone knows."""
    if len(text) > LONGEST:
        raise _Refused
    tests: dict[str, None] = {}
    _narrowed(_environment(_Budget()).parse(text), lambda test: tests.setdefault(test))
    if len(tests) > _CHOICES:
        raise _Refused
    return tuple(tests)


def _rendered(text: str, read: Reader, chosen: Mapping[str, bool]) -> str:
    budget = _Budget()
    environment = _environment(budget)
    tree = environment.parse(text)
    _narrowed(tree, chosen.get)
    template = environment.template_class.from_code(environment, environment.compile(tree), environment.globals)
    words: dict[str, Any] = {
        "ref": partial(read, "ref"),
        "source": partial(read, "source"),
        "this": read("this"),
        "is_incremental": Unknown,
        "var": _asked,
        "env_var": lambda *_: Unknown(),
        "target": Unknown(),
        "execute": True,
    }
    pieces: list[str] = []
    length = 0
    for piece in template.generate(words):
        length += len(piece)
        if length > LONGEST:
            raise _Refused
        pieces.append(piece)
    return "".join(pieces)


def _asked(_name: str, default: object = None) -> Unknown:
    """A variable: a number stays one, whatever its value is."""
    is_number = isinstance(default, int | float) and not isinstance(default, bool)
    return Unknown(UNKNOWN_NUMBER if is_number else UNKNOWN)


# ---------------------------------------------------------------- what is allowed


def _environment(budget: _Budget) -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(undefined=StrictUndefined, extensions=["jinja2.ext.do"])
    # no constant is folded while a template is compiled: nothing would pay for it
    environment.intercepted_binops = frozenset(environment.default_binop_table)
    environment.call_binop = partial(_binary, budget)  # type: ignore[method-assign]
    environment.call = _called  # type: ignore[method-assign]
    environment.finalize = budget.written
    environment.filters = {
        **{name: partial(_of_text, function) for name, function in _OF_TEXTS.items()},
        **{name: partial(_of_items, function) for name, function in _OF_ITEMS.items()},
        "join": partial(_joined, budget),
        "replace": partial(_replaced, budget),
        "fsync_sized": budget.sized,
        "fsync_rounds": budget.rounds,
    }
    tests: dict[str, Any] = environment.tests
    environment.tests = {name: _tested(tests[name]) for name in _TESTS}
    return environment


def _narrowed(tree: Any, choose: Callable[[str], bool | None]) -> None:
    """Refuse what is not allowed, have loops and texts paid for, and put what is chosen in place of tests."""
    from jinja2 import nodes

    for output in tree.find_all(nodes.Output):  # config(…) writes nothing, whatever it is given
        output.nodes = [node for node in output.nodes if not _is_config(node)]
    for node in [tree, *tree.find_all(nodes.Node)]:
        _check(node)
    for choice in tree.find_all((nodes.If, nodes.CondExpr)):
        if _asks(choice.test):
            choice.test = nodes.Const(choose(repr(choice.test)))
    for loop in tree.find_all(nodes.For):
        cost = 1 + sum(len(data.data) for data in loop.find_all(nodes.TemplateData))
        loop.iter = _through("fsync_rounds", loop.iter, nodes.Const(cost))
    _pay_for_texts(tree)
    tree.set_environment(tree.environment)


def _pay_for_texts(node: Any) -> None:
    from jinja2 import nodes

    for name, value in list(node.iter_fields()):
        children = value if isinstance(value, list) else [value]
        for child in children:
            if isinstance(child, nodes.Node):
                _pay_for_texts(child)
        paid = [_through("fsync_sized", child) if isinstance(child, nodes.Concat) else child for child in children]
        setattr(node, name, paid if isinstance(value, list) else paid[0])


def _through(name: str, value: Any, *given: Any) -> Any:
    from jinja2 import nodes

    return nodes.Filter(value, name, list(given), [], None, None)


def _check(node: Any) -> None:
    kind = type(node).__name__
    refused = kind not in _NODES
    if kind == "Call":
        callee = node.node
        is_name = type(callee).__name__ == "Name"
        called = callee.name if is_name else getattr(callee, "attr", None)
        refused = called not in (_FUNCTIONS if is_name else _METHODS)
        refused = refused or bool(node.dyn_args or node.dyn_kwargs)
    elif kind == "Filter":
        refused = node.name not in _FILTERS or bool(node.kwargs or node.dyn_args or node.dyn_kwargs)
    elif kind == "Test":
        refused = node.name not in _TESTS
    elif kind == "For":
        refused = node.recursive
    elif kind in ("List", "Tuple", "Dict", "Pair") and getattr(node, "ctx", "load") == "load":
        refused = any(type(child).__name__ not in _IN_LISTS for child in node.iter_child_nodes())
    if refused:
        raise _Refused


def _is_config(node: Any) -> bool:
    return type(node).__name__ == "Call" and getattr(node.node, "name", None) == "config"


def _asks(test: Any) -> bool:
    """Whether a test hangs on what dbt alone knows; refused if it hangs on a name of the template too."""
    from jinja2 import nodes

    names = {node.name for node in [test, *test.find_all(nodes.Name)] if isinstance(node, nodes.Name)}
    if not names & (_ASKING | {"target"}):
        return False
    if names - _FUNCTIONS - {"target"}:
        raise _Refused  # in a loop it may go one way in one round, and the other in the next
    return True


# ---------------------------------------------------------------- what is done


def _called(_context: object, function: Callable[..., Any], *given: Any, **named: Any) -> Any:
    if getattr(function, "__name__", "") == "append":
        if any(isinstance(item, list | tuple | dict) for item in given):
            raise _Refused  # a list of lists of itself
    elif isinstance(getattr(function, "__self__", None), Unknown) or isinstance(function, Unknown):
        raise _Refused
    return function(*given, **named)


def _binary(budget: _Budget, _context: object, operator: str, left: Any, right: Any) -> Any:
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    if numbers and max(abs(left), abs(right)) < 10**9:
        return {"+": lambda: left + right, "-": lambda: left - right, "*": lambda: left * right}[operator]()
    if operator == "+" and type(left) is type(right) and isinstance(left, str | list | tuple):
        return budget.sized(left + right)
    raise _Refused


def _of_text(function: Callable[[str], str], value: Any) -> str:
    if not isinstance(value, str | int | float | Unknown):
        raise _Refused
    return function(str(value))


def _of_items(function: Callable[[Any], Any], value: Any) -> Any:
    if not isinstance(value, str | list | tuple | dict | range):
        raise _Refused
    return function(value)


def _joined(budget: _Budget, value: Iterable[Any], separator: str = "") -> str:
    texts = [str(budget.written(item)) for item in value]
    budget.spend(len(separator) * len(texts))
    return separator.join(texts)


def _replaced(budget: _Budget, text: Any, old: str, new: str) -> str:
    if not isinstance(text, str) or UNKNOWN in text or UNKNOWN_NUMBER in text:
        raise _Refused
    budget.spend(text.count(old) * len(new))
    return text.replace(old, new)


def _tested(function: Callable[..., Any]) -> Callable[..., Any]:
    def test(value: Any, *given: Any) -> Any:
        if isinstance(value, Unknown):
            raise _Refused
        return function(value, *given)

    return test


def _is_undefined(value: object) -> bool:
    from jinja2 import Undefined

    return isinstance(value, Undefined)

"""The `transformation:` of a spec: a call such as `window_sum(amount, 30d)`, or a derived expression."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlglot import exp

from fsync.language.duration import HOW_TO_WRITE, Duration, parse_duration
from fsync.language.expression import Fault, Unparsable, parse, span
from fsync.language.suggest import did_you_mean
from fsync.language.transformations import FORMS, Reach, Transformation
from fsync.spec.feature import Call, Scalar


@dataclass(frozen=True)
class Read:
    """What a text was read as. `call` is None for a derived feature, or where `faults` hide it."""

    scalar: Scalar | None
    call: Call | None
    faults: tuple[Fault, ...]


def read_scalar(text: str) -> Read:
    """Parse a predicate or any other scalar expression."""
    try:
        return Read(Scalar(text, parse(text)), None, ())
    except Unparsable as error:
        return Read(None, None, (error.fault,))


def read_transformation(text: str) -> Read:
    """Parse a transformation, and take a call of one apart."""
    read = read_scalar(text)
    if read.scalar is None:
        return read
    node = read.scalar.node
    if isinstance(node, exp.Anonymous) and node.name.lower() in FORMS:
        call, faults = _call(node, text)
        return Read(read.scalar, call, faults)
    return Read(read.scalar, None, _strays(node, text))


def _strays(node: exp.Expr, text: str) -> tuple[Fault, ...]:
    """Transformations inside a derived expression, and calls that were meant to be one."""
    faults = []
    for function in node.find_all(exp.Anonymous):
        name = function.name.lower()
        start, end = span(function, text)
        if name in FORMS:
            message = f"{name}() stands alone; an expression over features is a feature of its own"
            mend = "give it a name in a spec of its own, and write that name here"
            faults.append(Fault("wrong-arguments", message, start, end, (mend,)))
        elif function is node or name.startswith(("window_", "lifetime_", "latest")):
            notes = (f"there are: {', '.join(sorted(FORMS))}", *did_you_mean(name, FORMS))
            fault = Fault(
                "unknown-transformation",
                f"there is no transformation {name!r}",
                start,
                start + len(name),
                notes,
            )
            faults.append(fault)
    return tuple(faults)


def _call(node: exp.Anonymous, text: str) -> tuple[Call | None, tuple[Fault, ...]]:
    name = node.name.lower()
    transformation, reach = FORMS[name]
    arguments = list(node.expressions)
    window, fault = None, None
    if reach == "window":
        window, fault = _window(arguments.pop() if arguments else None, node, text, transformation, name)
    if fault is not None:
        return None, (fault,)
    fraction = None
    if transformation.takes_fraction:
        fraction, fault = _fraction(arguments.pop() if len(arguments) > 1 else None, node, text, name)
        if fault is not None:
            return None, (fault,)
    least = 0 if transformation.column_is_optional else 1
    if not least <= len(arguments) <= 1:
        return None, (_usage(node, text, transformation, name, reach),)
    for inner in (found for argument in arguments for found in argument.find_all(exp.Anonymous)):
        if inner.name.lower() in FORMS:
            start, end = span(inner, text)
            message = f"a transformation reads columns, not another transformation ({inner.name.lower()})"
            return None, (Fault("wrong-arguments", message, start, end),)
    return Call(transformation, reach, arguments[0] if arguments else None, window, fraction), ()


def _window(
    argument: exp.Expr | None, node: exp.Anonymous, text: str, transformation: Transformation, name: str
) -> tuple[Duration | None, Fault | None]:
    if not isinstance(argument, exp.Column) or not argument.name[:1].isdigit():
        return None, _usage(node, text, transformation, name, "window")
    try:
        return parse_duration(argument.name), None
    except ValueError as error:
        start, end = span(argument, text)
        return None, Fault("bad-duration", str(error), start, end, (HOW_TO_WRITE,))


def _fraction(
    argument: exp.Expr | None, node: exp.Anonymous, text: str, name: str
) -> tuple[Decimal | None, Fault | None]:
    transformation, reach = FORMS[name]
    is_negative = isinstance(argument, exp.Neg)
    number = argument.this if isinstance(argument, exp.Neg) else argument
    if not isinstance(number, exp.Literal) or number.is_string:
        return None, _usage(node, text, transformation, name, reach)
    fraction = Decimal(number.name)
    if is_negative or fraction > 1:
        message = f"the fraction of a percentile lies between 0 and 1, and this is {'-' * is_negative}{fraction}"
        return None, Fault("wrong-arguments", message, *span(number, text), ("the 95th percentile is 0.95",))
    return fraction, None


def _usage(node: exp.Anonymous, text: str, transformation: Transformation, name: str, reach: Reach) -> Fault:
    last = ["0.95"] if transformation.takes_fraction else []
    last += ["30d"] if reach == "window" else []
    ways = [f"{name}({', '.join(['column', *last])})"]
    if transformation.column_is_optional:
        ways.insert(0, f"{name}({', '.join(last)})")
    start, end = span(node, text)
    return Fault("wrong-arguments", f"{name}() is written {' or '.join(ways)}", start, end)

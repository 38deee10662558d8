"""What to write instead: the portable form nearest to what is not part of the language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from sqlglot import exp

from fsync.language.transformations import FORMS

_CLOCK: Final = "a feature is a function of entity and time, not of the clock"
_CHANCE: Final = "a feature is a function of entity and time, not of chance"
_PATTERN: Final = "engines read patterns differently: write a like 'x%', starts_with(a, 'x') or contains(a, 'x')"
_STAGING: Final = "what has no portable form is a column of a staging model"
_TEXT: Final = "engines read and write texts differently: cast in a staging model"
_SPAN: Final = "compare date_diff('day', a, b) with a number, or take a window: window_sum(column, 30d)"
_JOIN: Final = "a feature reads the columns of its source: join in a staging model"


def _each(names: str, hint: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), hint)


_FUNCTIONS: Final[Mapping[str, str]] = {
    "concat": "write a || b, which is NULL when one of them is; coalesce(a, '') || coalesce(b, '') skips NULL",
    "concat_ws": "write a || ',' || b, which is NULL when one of them is",
    **_each("ifnull nvl", "write coalesce(a, b)"),
    "isnull": "write a is null",
    **_each("if iif", "write case when condition then a else b end"),
    "mod": "write a % b",
    **_each("divide fdiv", "write a / b"),
    **{part: f"write extract({part} from t)" for part in ("year", "quarter", "month", "day", "isodow")},
    **{part: f"write extract({part} from t)" for part in ("hour", "minute", "second")},
    "dayofmonth": "write extract(day from t)",
    "dayofyear": "write extract(doy from t)",
    **_each("dayofweek weekday dayname", "write extract(isodow from t), which is 1 on Monday and 7 on Sunday"),
    **_each("week weekofyear yearweek", "write date_trunc('week', t)"),
    **_each("date_part datepart", "write extract(year from t)"),
    "epoch": "write date_diff('second', timestamp '1970-01-01', t)",
    "epoch_ms": "write date_diff('millisecond', timestamp '1970-01-01', t)",
    "datetrunc": "write date_trunc('month', t)",
    **_each("datediff date_sub datesub timestampdiff timestamp_diff age", "write date_diff('day', a, b)"),
    **_each("date_add dateadd", _SPAN),
    "date": "write cast(t as date)",
    **_each("substr left", "write substring(a, 1, 3)"),
    **_each("len char_length character_length strlen", "write length(a)"),
    "ucase": "write upper(a)",
    "lcase": "write lower(a)",
    "btrim": "write trim(a)",
    "prefix": "write starts_with(a, 'x')",
    "suffix": "write ends_with(a, 'x')",
    **_each("instr strpos position locate", "write contains(a, 'x'), which says whether it is there"),
    **_each("regexp_matches regexp_full_match regexp_replace regexp_extract regexp_extract_all", _PATTERN),
    "pow": "write power(a, b)",
    "ceiling": "write ceil(a)",
    "log": "write ln(a) / ln(10) for the logarithm of base 10",
    "log10": "write ln(a) / ln(10)",
    "log2": "write ln(a) / ln(2)",
    "cbrt": "write power(a, 1e0 / 3)",
    **_each("trunc truncate", "write floor(a), or ceil(a) for a number below 0"),
    "round_even": "round(a, 2) of an exact number rounds half away from zero",
    **_each("strptime to_date to_timestamp make_date make_timestamp strftime to_char format printf", _TEXT),
    **_each("now today getdate get_current_timestamp current_date current_timestamp current_time", _CLOCK),
    **_each("localtimestamp localtime transaction_timestamp unix_timestamp", _CLOCK),
    **_each("random rand uuid gen_random_uuid setseed", _CHANCE),
    **_each("hash md5 sha1 sha256", "engines hash differently: compute it in a staging model"),
}

_NODES: Final[Mapping[type[exp.Expr], str]] = {
    exp.IntDiv: "write cast(floor(a / b) as bigint)",
    exp.ILike: "write lower(a) like 'x%'",
    exp.SimilarTo: _PATTERN,
    exp.RegexpLike: _PATTERN,
    exp.Glob: _PATTERN,
    exp.Escape: "write like without ESCAPE; contains(a, '%') finds the sign itself",
    exp.TryCast: "cast in a staging model, where a value that does not fit can be seen",
    exp.Interval: _SPAN,
    exp.Bracket: "write substring(a, 1, 3) for the first three characters of a text",
    exp.AtTimeZone: "times are in UTC: convert them in a staging model",
    exp.ByteString: "write the characters themselves: 'it''s'",
    exp.Subquery: _JOIN,
    exp.Exists: _JOIN,
    exp.Pow: "write power(a, b)",
    exp.Abs: "write abs(a)",
    exp.StartsWith: "write starts_with(a, 'x')",
    **dict.fromkeys((exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentTime, exp.Localtimestamp), _CLOCK),
}

#: functions that DuckDB also writes with a sign, which means something else to other engines
SIGNS: Final[Mapping[type[exp.Expr], str]] = {exp.Pow: "^ or **", exp.Abs: "@", exp.StartsWith: "^@"}

_SPELT: Final[Mapping[str, str]] = {
    "subquery": "a subquery",
    "star": "*",
    "interval": "an interval",
    "struct": "{…}",
    "array": "[…]",
    "bracket": "a[…]",
    "intdiv": "//",
    "bitwiseand": "&",
    "bitwiseor": "|",
    "bitwiseleftshift": "<<",
    "bitwiserightshift": ">>",
    "bitwisenot": "~",
    "regexplike": "~",
    "ilike": "ILIKE",
    "similarto": "SIMILAR TO",
    "glob": "GLOB",
    "escape": "ESCAPE",
    "attimezone": "AT TIME ZONE",
    "collate": "COLLATE",
    "currentdate": "CURRENT_DATE",
    "currenttimestamp": "CURRENT_TIMESTAMP",
    "currenttime": "CURRENT_TIME",
    "localtimestamp": "LOCALTIMESTAMP",
    "bytestring": "E'…'",
    "rawstring": "$$…$$",
    "jsonextract": "->",
    "jsonextractscalar": "->>",
}


def described(node: exp.Expr, name: str | None) -> str:
    """What a person would call a node that was written as the function `name`, or as no function."""
    if isinstance(node, exp.Window):
        return "OVER (…)"
    if name is not None:
        return f"{'the aggregate' if _is_aggregate(node) else 'the function'} {name}()"
    return _SPELT.get(node.key, SIGNS.get(type(node), repr(node.key)))


def hints(node: exp.Expr, name: str | None, functions: Iterable[str]) -> tuple[str, ...]:
    """The notes for a node outside the language, of which `functions` are the names."""
    if name is not None and name in _FUNCTIONS:
        return (_FUNCTIONS[name],)
    if isinstance(node, exp.Window) or _is_aggregate(node):
        own = f"window_{name}"
        form = own if own in FORMS else "window_sum"
        return (f"aggregates are transformations: {form}(column, 30d), in a feature of its own",)
    if type(node) in _NODES:
        return (_NODES[type(node)],)
    if name is None:
        return ()
    near = get_close_matches(name, sorted(set(functions)), n=1, cutoff=0.8) if isinstance(node, exp.Anonymous) else []
    return (f"did you mean {near[0]!r}?",) if near else (_STAGING,)


def _is_aggregate(node: exp.Expr) -> bool:
    if isinstance(node, exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
        return _is_aggregate(node.this)
    return isinstance(node, exp.AggFunc)

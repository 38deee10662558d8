"""Models by hand, read without dbt: what their Jinja comes to, and which classes their columns are of."""

from __future__ import annotations

import resource
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from fsync.lineage.columns import Upstream
from fsync.spec.model import Model, load_models, rendered
from fsync.spec.project import open_project
from fsync.spec.source import load_sources

#: of people, email is pii and card is pci; of orders, nothing is of a class
SOURCES = {
    "sources": [
        {
            "name": "crm",
            "tables": [
                {
                    "name": "people",
                    "columns": [
                        {"name": "id"},
                        {"name": "email", "meta": {"pii": True}},
                        {"name": "card", "meta": {"pci": True}},
                        {"name": "city"},
                    ],
                },
                {"name": "orders", "columns": [{"name": "id"}, {"name": "person_id"}, {"name": "amount"}]},
            ],
        }
    ]
}
PEOPLE = "{{ source('crm', 'people') }}"
ORDERS = "{{ source('crm', 'orders') }}"


def project(folder: Path, files: Mapping[str, str]) -> Upstream:
    """What is known of a project with these models, in which everything may be read."""
    (folder / "models").mkdir()
    (folder / "models/binary.sql").write_bytes(b"\xff\xfe select")
    (folder / "dbt_project.yml").write_text("name: shop\n")
    (folder / "models/sources.yml").write_text(yaml.safe_dump(SOURCES))
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    opened = open_project(folder)
    sources, _ = load_sources(opened)
    names = [Path(name).stem for name in files if name.startswith("models/")]
    return Upstream(sources, load_models(opened, names))


def classes(upstream: Upstream, table: str, column: str) -> str:
    return " ".join(sorted(upstream.classes((table, column))))


# ---------------------------------------------------------------- Jinja that is rendered


RENDERED = {
    "{{ config(materialized='table', tags=['a', var('b')], schema=my_schema()) }}select 1": ["select 1"],
    "select * from {{ ref('a') }}": ["select * from fsync_read_0"],
    "select * from {{ ref('a') }}, {{ ref('shop', 'b') }}": ["select * from fsync_read_0, fsync_read_1"],
    "select * from {{ ref('a', v=2) }} join {{ ref(\"shop\", 'b', version=1) }}": [
        "select * from fsync_read_0 join fsync_read_1"
    ],
    "select * from {{ source('crm', 'people') }}": ["select * from fsync_read_0"],
    "{# {{ ref('x') }} #}select 1": ["select 1"],
    "select '{{ var('a') }}', {{ var('n', 30) }}, {{ env_var('X', 'y') }}": [
        "select 'fsync_unknown', 90571209571320957, fsync_unknown"
    ],
    "select 1{% if is_incremental() %} where t > (select max(t) from {{ this }}){% endif %}": [
        "select 1",
        "select 1 where t > (select max(t) from fsync_read_this)",
    ],
    "select {{ 'a' if not is_incremental() else 'b' }}": ["select b", "select a"],
    "{% if target.name == 'prod' %}a{% elif var('x', false) %}b{% else %}c{% endif %}": ["c", "b", "a"],
    "{% set columns = ['a', 'b'] %}select {% for c in columns %}{{ c }}{{ ', ' if not loop.last }}{% endfor %}": [
        "select a, b"
    ],
    "{%- set kinds = {'a': 1, 'b': 2} -%}{% for k, v in kinds.items() %}{{ k ~ '_' ~ v }} {% endfor %}": ["a_1 b_2 "],
    "{% for i in range(3) %}{{ i + 1 }}{% endfor %}": ["123"],
    "{% set l = [] %}{% do l.append('a') %}{{ l | join(', ') | upper }}": ["A"],
    "{% set x %}select {{ 1 }}{% endset %}{{ x }}": ["select 1"],
    "{% set t = ref('a') %}select * from {{ t }}": ["select * from fsync_read_0"],
    "{% for c in [{'name': 'a b'}] %}{{ c.name | replace(' ', '_') }}{{ c['name'] | length }}{% endfor %}": ["a_b3"],
    "{% if execute %}a{% endif %}{% if x is defined %}b{% endif %}": ["a"],
    "{% raw %}{{ x }}{% endraw %}": ["{{ x }}"],
}


@pytest.mark.parametrize("text", RENDERED)
def test_jinja_is_rendered(tmp_path: Path, text: str) -> None:
    assert list(rendered(_model(tmp_path, text))) == RENDERED[text]


OPAQUE = (
    "{{ my_macro('a') }}",
    "{{ dbt_utils.star(ref('a')) }}",
    "{{ adapter.get_columns_in_relation(ref('a')) }}",
    "{% macro m() %}{% endmacro %}{{ m() }}",
    "{{ undefined_name }}",
    "{{ ref('a' }}",
    "{% if is_incremental() %}",
    "{% snapshot x %}select 1{% endsnapshot %}",
    "{% for c in var('columns', ['a']) %}{{ c }}{% endfor %}",
    "{% for i in range(var('n', 3)) %}{{ i }}{% endfor %}",
    "{% set x = var('a') %}{% if x == 'b' %}1{% endif %}",
    "{% for c in ['a'] %}{% if c == var('d') %}1{% endif %}{% endfor %}",
    "{{ var('a') | replace('_', '-') }}",
    "{{ var('n', 1) + 1 }}",
    "{{ ['a', 'b'] }}",
    "{% if is_incremental() %}{% elif var('a') %}{% elif var('b') %}{% elif var('c') %}{% endif %}",
    # out of the sandbox
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ref.__globals__ }}",
    "{{ ref.func }}",
    "{{ var.__init__('x') }}",
    "{{ ('a' | attr('__class__')) }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ self.__init__ }}",
    "{% set l = ['a'] %}{{ l.append.__self__ }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{{ config.get('x') }}",
    "{{ range(3).__class__ }}",
)


@pytest.mark.parametrize("text", OPAQUE)
def test_what_dbt_alone_can_render_is_opaque(tmp_path: Path, text: str) -> None:
    assert rendered(_model(tmp_path, text)) == ()


HOSTILE = {
    "a huge range": "{% for i in range(1000000000) %}x{% endfor %}",
    "loops in loops": "".join(f"{{% for i{at} in range(99999) %}}" for at in range(5)) + "x" + "{% endfor %}" * 5,
    "loops over nothing": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "a product": "{{ 'a' * 100000000000 }}",
    "a product of lists": "{% set l = ['a'] * 100000000000 %}{{ l | length }}",
    "a power": "{{ 10 ** 10 ** 10 }}",
    "a growing number": "{% set n = 999999999 %}" + "{% set n = n * n %}" * 60 + "{{ n }}",
    "a doubling text": "{% set a = 'aaaaaaaa' %}" + "{% set a = a ~ a %}" * 60 + "{{ a }}",
    "a doubling sum": "{% set a = 'aaaaaaaa' %}" + "{% set a = a + a %}" * 60 + "{{ a }}",
    "a doubling block": "{% set a = 'aaaaaaaa' %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 60 + "{{ a }}",
    "a doubling list": "{% set a = ['a'] %}" + "{% set a = a + a %}" * 60 + "{{ a | length }}",
    "lists of lists": "{% set a = ['a'] %}" + "{% set a = [a, a] %}" * 60 + "{{ a }}",
    "lists put into lists": "{% set a = [] %}" + "{% do a.append(a) %}" * 60 + "{{ a | join }}",
    "growing replacements": "{% set a = 'aaaaaaaa' %}" + "{% set a = a | replace('a', a) %}" * 20 + "{{ a }}",
    "a growing join": "{% set s = 'ssss' %}" + "{% set s = [1, 2, 3, 4] | join(s) %}" * 60 + "{{ s }}",
    "a wide text": "{{ 'a' | center(10000000000) }}",
    "a wide format": "{{ '%10000000000d' % 1 }}",
    "a wide method": "{{ 'a'.ljust(10000000000) }}",
    "a macro of itself": "{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(1) }}",
    "brackets": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "ifs in ifs": "{% if 1 %}" * 3000 + "{% endif %}" * 3000,
    "a long text": "x" * 10_000_000,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_jinja_is_opaque_soon_and_in_little_memory(tmp_path: Path, what: str) -> None:
    model = _model(tmp_path, HOSTILE[what])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    assert rendered(model) == ()
    assert time.process_time() - started < 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024


def _model(folder: Path, text: str) -> Model:
    (folder / "models").mkdir()
    (folder / "dbt_project.yml").write_text("name: shop\n")
    (folder / "models/m.sql").write_text(text)
    return load_models(open_project(folder), ["m"])["m"]


# ---------------------------------------------------------------- classes that are carried


#: files, and the classes of columns: `model.column` → classes
CARRIED: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "two models": (
        {
            "models/a.sql": f"select id, lower(email) as mail, card is null as no_card, city from {PEOPLE}",
            "models/b.sql": "select id, split_part(mail, '@', 2) as domain, no_card, city from {{ ref('a') }}",
        },
        {"a.mail": "pii", "b.domain": "pii", "b.no_card": "", "b.city": "", "b.id": ""},
    ),
    "in a folder": (
        {"models/x/y/a.sql": f"select * from {PEOPLE}", "models/b.sql": "select email as e from {{ ref('a') }}"},
        {"a.email": "pii", "a.card": "pci", "a.city": "", "b.e": "pii"},
    ),
    "what YAML says goes before": (
        {
            "models/a.sql": f"select md5(email) as h, email, card from {PEOPLE}",
            "models/a.yml": "models: [{name: a, columns: [{name: h, meta: {pii: false}}, "
            "{name: card, meta: {pii: true}}]}]",
            "models/b.sql": "select h, email, card from {{ ref('a') }}",
        },
        # of what is not said of a column, its parts are asked
        {"a.h": "", "b.h": "", "b.email": "pii", "b.card": "pci pii"},
    ),
    "a whole row": (
        {"models/a.sql": f"select p as x, count(p) as n from {PEOPLE} p"},
        {"a.x": "pci pii", "a.n": ""},
    ),
    "the way that a choice goes": (
        {
            "models/a.sql": f"{{{{ config(materialized='incremental') }}}}select id, "
            f"{{% if is_incremental() %}}email{{% else %}}null{{% endif %}} as x from {PEOPLE}"
        },
        {"a.x": "pii", "a.id": ""},
    ),
    "its own rows": (
        {
            "models/a.sql": f"select email as x, city as y from {PEOPLE} "
            "{% if is_incremental() %}union all select x, x from {{ this }}{% endif %}"
        },
        {"a.x": "pii", "a.y": "pii"},
    ),
    "a column of a name that is not known yet": (
        {"models/a.sql": f"select id, {{{{ var('column', 'city') }}}} as x, '{{{{ var('y') }}}}' as y from {PEOPLE}"},
        {"a.x": "pci pii", "a.y": "", "a.id": ""},
    ),
    "columns of a loop": (
        {"models/a.sql": "select {% for c in ['email', 'city'] %}{{ c }} as x_{{ c }}, {% endfor %} from " + PEOPLE},
        {"a.x_email": "pii", "a.x_city": ""},
    ),
    "tables of a loop": (
        {
            "models/a.sql": "{% for t in ['b', 'c'] %}{{ 'union all ' if not loop.first }}"
            "select * from {{ ref(t) }} {% endfor %}",
            "models/b.sql": f"select id, city as x from {PEOPLE}",
            "models/c.sql": f"select id, email as x from {PEOPLE}",
        },
        {"a.x": "pii", "a.id": ""},
    ),
    "a macro": (
        {"models/a.sql": f"select {{{{ mask('email') }}}} as x from {PEOPLE}"},
        {"a.x": "pci pii"},
    ),
    "a macro that reads": (
        {
            "models/a.sql": "{{ everyone() }}",
            "macros/m.sql": "{% macro everyone() %}{{ others() }}{% endmacro %}"
            f"{{% macro others() -%}} select * from {PEOPLE} {{%- endmacro %}}",
        },
        {"a.x": "pci pii"},
    ),
    "a table whose name is worked out": (
        {"models/a.sql": "select * from {{ ref(name_of('x')) }}", "models/b.sql": f"select email as e from {PEOPLE}"},
        {"a.x": "pci pii"},
    ),
    "Python": (
        {"models/a.py": "def model(dbt, session):\n    return dbt.source('crm', 'people')\n"},
        {"a.x": "pci pii"},
    ),
    "Python of orders": (
        {"models/a.py": "def model(dbt, session):\n    return dbt.source('crm', 'orders')\n"},
        {"a.x": ""},
    ),
    "no word of one class takes away another": (
        {
            "models/a.sql": f"select email || card as x, email || card as y, email || card as z, email as w "
            f"from {PEOPLE}",
            "models/a.yml": "models: [{name: a, columns: [{name: x, meta: {pii: false}}, "
            "{name: y, meta: {classification: confidential}}, {name: z, meta: {classification: []}}, "
            "{name: w, meta: {classification: [PII]}}]}]",
        },
        {"a.x": "pci", "a.y": "pci pii", "a.z": "", "a.w": "pii"},
    ),
    "tags, tables and versions": (
        {
            "models/a.sql": "select 1 as x, 2 as y",
            "models/a.yml": "models: [{name: a, columns: [{name: x, tags: [pii]}], "
            "versions: [{v: 1, columns: [{name: y, meta: {pci: true}}]}]}]",
            "models/b.sql": "select 1 as x",
            "models/b.yml": "models: [{name: b, config: {meta: {pii: true}}, columns: [{name: x}, "
            "{name: y, meta: {pii: false}}]}]",
        },
        {"a.x": "pii", "a.y": "pci", "b.x": "pii", "b.y": ""},
    ),
    "tables that no ref names, by a variable": (
        {"models/a.sql": "select email as x from {{ var('raw') }}.people join {{ ref('c') }} using (id)"},
        {"a.x": "pci pii"},
    ),
    "tables that no ref names, by the target": (
        {"models/a.sql": "select x from {{ target.schema }}.people"},
        {"a.x": "pci pii"},
    ),
    "tables that no ref names, by a macro": (
        {
            "models/a.sql": "select x from {{ people() }} join {{ ref('c') }} using (id)",
            "macros/people.sql": "{% macro people() %}(select * from raw.people){% endmacro %}",
        },
        {"a.x": "pci pii"},
    ),
    "tables that no ref names, by the adapter": (
        {"models/a.sql": "{% set r = adapter.get_relation('d', 'raw', 'people') %}select x from {{ r }}"},
        {"a.x": "pci pii"},
    ),
    "tables that no ref names, by another name of source": (
        {"models/a.sql": "{% set s = source %}select x from {{ s('crm', 'people') }}"},
        {"a.x": "pci pii"},
    ),
    "tables that no ref names, by a package": (
        {"models/a.sql": "select x from ({{ dbt_utils.union_relations(dbt_utils.get_relations_by_pattern('r')) }})"},
        {"a.x": "pci pii"},
    ),
    "tables that no ref names, by a session": (
        {"models/a.py": "def model(dbt, session):\n    return session.sql('select * from raw.people')\n"},
        {"a.x": "pci pii"},
    ),
    "Python that works out names": (
        {"models/a.py": "def model(dbt, session):\n    return [dbt.source('crm', t) for t in ('orders',)]\n"},
        {"a.x": "pci pii"},
    ),
    "opaque SQL": (
        {"models/a.sql": f"select * from {PEOPLE} match_recognize (",
            "models/b.sql": "select q as r from {{ ref('a') }}",
        },
        {"a.x": "pci pii", "b.r": "pci pii"},
    ),
    "opaque SQL of orders": ({"models/a.sql": f"select * frm {ORDERS}"}, {"a.x": ""}),
    "a table by its name": (
        {"models/a.sql": "select email as x, city from crm.people", "models/b.sql": "select email as x from people"},
        {"a.x": "pii", "a.city": "", "b.x": "pii"},
    ),
    "a column that SQL does not give": (
        {"models/a.sql": f"select id, email from {PEOPLE}"},
        {"a.nowhere": "pii", "a.id": ""},
    ),
    "a version": (
        {"models/a_v2.sql": f"select email as x from {PEOPLE}", "models/b.sql": "select x from {{ ref('a', v=2) }}"},
        {"b.x": "pii"},
    ),
    "versions": (
        {
            "models/a_v1.sql": f"select email as x from {PEOPLE}",
            "models/a_v2.sql": f"select amount as x from {ORDERS}",
            "models/b.sql": "select x from {{ ref('a') }}",
        },
        {"b.x": "pci pii"},
    ),
    "a snapshot": (
        {
            "snapshots/s.sql": "{% snapshot old_people %}{{ config(unique_key='id') }}"
            f"select * from {PEOPLE}{{% endsnapshot %}}",
            "models/b.sql": "select email as x, city from {{ ref('old_people') }}",
        },
        {"b.x": "pii", "b.city": ""},
    ),
    "a snapshot that is YAML": (
        {
            "snapshots/s.yml": "snapshots: [{name: old_people, relation: \"source('crm', 'people')\"}]",
            "models/b.sql": "select email as x, city from {{ ref('old_people') }}",
        },
        {"b.x": "pii", "b.city": ""},
    ),
    "a model without a file": (
        {
            "models/a.yml": "models: [{name: gone, columns: [{name: x, meta: {pii: true}}, {name: y}]}]",
            "models/b.sql": "select x, y from {{ ref('gone') }}",
        },
        {"b.x": "pii", "b.y": ""},
    ),
    "a circle": (
        {
            "models/a.sql": f"select email as x, b.y from {PEOPLE} join {{{{ ref('b') }}}} b using (id)",
            "models/b.sql": "select id, x as y from {{ ref('a') }}",
        },
        {"a.x": "pii", "b.y": "pii", "a.y": "pii"},
    ),
    "a circle of opaque ones": (
        {"models/a.sql": "{{ m(ref('b')) }}", "models/b.sql": f"{{{{ m(ref('a'), {PEOPLE[3:-3]}) }}}}"},
        {"a.x": "pci pii", "b.x": "pci pii"},
    ),
    "not UTF-8": ({"models/b.sql": "select x from {{ ref('binary') }}"}, {"b.x": ""}),
}  # fmt: skip


@pytest.mark.parametrize("case", CARRIED)
def test_classes_are_carried(tmp_path: Path, case: str) -> None:
    files, expected = CARRIED[case]
    upstream = project(tmp_path, files)
    for name, said in expected.items():
        table, column = name.split(".")
        assert classes(upstream, table, column) == said, name


def test_opaque_models_are_known(tmp_path: Path) -> None:
    files = {"models/a.sql": f"select email from {PEOPLE}", "models/b.sql": f"{{{{ m({PEOPLE[3:-3]}) }}}}"}
    upstream = project(tmp_path, files)
    assert (upstream.is_opaque("a"), upstream.is_opaque("b"), upstream.is_opaque("crm.people")) == (False, True, False)
    assert upstream.tables("b") == {"b", "crm.people"}


def test_the_shortest_way_is_told(tmp_path: Path) -> None:
    upstream = project(
        tmp_path, {"models/a.sql": f"select email as x from {PEOPLE}", "models/b.sql": "from {{ ref('a') }}"}
    )
    assert upstream.classes(("b", "x")) == {"pii": (("b", "x"), ("a", "x"), ("crm.people", "email"))}
    assert upstream.classes(("crm.people", "card")) == {"pci": (("crm.people", "card"),)}

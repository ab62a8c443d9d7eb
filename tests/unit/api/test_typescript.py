"""The dashboard's types are the API's: each shape is there, and nothing is named that is not."""

from __future__ import annotations

import re
from functools import cache

from app.api.v1.schema import document
from app.client import typescript

KNOWN = {"Array", "Record"}


@cache
def written() -> str:
    return typescript.text()


def shape(name: str) -> str:
    found = re.search(rf"^export interface {name} {{\n(.*?)^}}", written(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_each_shape_of_the_api_has_a_type_and_no_other_is_named() -> None:
    made = re.findall(r"^export (?:interface|type) (\w+)", written(), re.MULTILINE)
    assert len(made) == len(set(made)) == len(document()["components"]["schemas"])
    code = re.sub(r"/\*\*.*?\*/|\"[^\"]*\"", "", written())
    assert set(re.findall(r"(?<=[ <])[A-Z]\w+", code.partition("\n\n")[2])) - KNOWN == set(made)


def test_what_may_be_missing_and_what_may_be_null_are_told_apart() -> None:
    assert "  answered_at: string | null;" in shape("CallItem")
    assert "  tier: AppSalesLeadTier | null;" in shape("CallItem")
    assert "  expires_at?: string | null;" in shape("ApiKeyRequest")
    assert "  facts: Record<string, string>;" in shape("CallDetail")
    assert '  by: "agent" | "caller";' in shape("Line")


def test_a_remark_cannot_end_its_own_comment() -> None:
    made = "\n".join(typescript._shape("Odd", {"description": "a */ b", "type": "string"}))
    assert made.startswith("/** a * / b */")

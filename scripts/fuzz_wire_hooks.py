"""What the fuzz run of the wire has to know beyond the document: which tenant, types and receipt there are.

Ids that are drawn at random are nobody's, and a run with them sees nothing but refusals. So most well-formed ids are
replaced by known ones; the malformed ones, and one well-formed one in eight, stay as they were drawn.
"""

import json
import os
import re

import schemathesis
from hypothesis import strategies as st

TENANT = os.environ["FUZZ_TENANT"]
TYPES = os.environ["FUZZ_TYPES"].split()
RECEIPT = os.environ["FUZZ_RECEIPT"]
GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def known(drawn, choices):
    """One of `choices` in place of a drawn id, the same one for the same id, so that failures shrink."""
    if not isinstance(drawn, str) or not GUID.fullmatch(drawn):
        return drawn
    number = int(drawn.replace("-", ""), 16) % (8 * len(choices))
    return drawn if number % 8 == 7 else choices[number // 8]


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """The tool fills arrays to their limit, one value after the other: ten thousand events are not worth the minute
    they take (`tests/it` sends them). And it has no use for an example of a body that it makes by a strategy."""

    def walk(value):
        if isinstance(value, dict):
            if value.get("maxItems") == 10000:
                del value["maxItems"]
            value.get("application/x-ndjson", {}).pop("example", None)
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(inner)

    walk(raw_schema)


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    for name, choices in (("tenantId", [TENANT]), ("eventTypeId", TYPES), ("receiptId", [RECEIPT])):
        if path_parameters and name in path_parameters:
            path_parameters[name] = known(path_parameters[name], choices)
    return path_parameters


@schemathesis.hook
def map_body(context, body):
    if isinstance(body, list):
        return [map_body(context, item) for item in body]
    if isinstance(body, dict):
        for name in ("EventTypeId", "type"):
            if name in body:
                body[name] = known(body[name], TYPES)
    return body


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.dictionaries(st.sampled_from(["Amount", "Id", "Last Name"]) | st.text(max_size=8), VALUES, max_size=4)
TYPED = st.builds(lambda id, event: {"EventTypeId": id, "Event": event}, st.sampled_from(TYPES), EVENTS)
LINES = st.lists(EVENTS | TYPED, min_size=1, max_size=5)

schemathesis.openapi.media_type(
    "application/x-ndjson", LINES.map(lambda lines: "\n".join(json.dumps(line) for line in lines).encode())
)

import contextlib
import json
import re
import subprocess
import sys
import timeit
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit_scoring.contract.model import Contract, Role
from credit_scoring.contract.request import (
    Application,
    RequestDecoder,
    request_json_schema,
)
from credit_scoring.contract.request_check import RequestCheck
from credit_scoring.contract.request_schema import request_example
from credit_scoring.contract.rows import check_rows
from credit_scoring.errors import BatchTooLongError, InvalidRequestError

Request = dict[str, Any]


@pytest.fixture(scope="session")
def decoder(contract: Contract) -> RequestDecoder:
    return RequestDecoder(contract)


@pytest.fixture(scope="session")
def varied_decoder(varied_contract: Contract) -> RequestDecoder:
    return RequestDecoder(varied_contract)


@pytest.fixture
def example(contract: Contract) -> Request:
    return request_example(contract)


def body_of(request: object) -> bytes:
    return json.dumps(request).encode()


def errors_of(decoder: RequestDecoder, body: bytes) -> dict[str, str]:
    with pytest.raises(InvalidRequestError) as error:
        decoder.decode(body)
    assert len({e.field for e in error.value.errors}) == len(error.value.errors)
    return {e.field: e.message for e in error.value.errors}


def bits(columns: dict[str, np.ndarray]) -> dict[str, bytes]:
    return {name: values.tobytes() for name, values in columns.items()}


def test_example_is_decoded(decoder: RequestDecoder, example: Request):
    application = decoder.decode(body_of(example))
    assert isinstance(application, Application)
    assert application.loan_id == example["loan_id"]
    assert application.has_history


def test_columns_are_the_inputs_without_protected_ones(
    decoder: RequestDecoder, contract: Contract, example: Request
):
    request = example | {"sex": 1, "education": 0, "marriage": 3, "age_years": 50}
    columns = decoder.columns([decoder.decode(body_of(request))])
    assert tuple(columns) == contract.input_names
    for name, values in columns.items():
        assert values.dtype == np.float64
        assert values.tolist() == [float(example[name])]
        assert values.flags.c_contiguous


def test_columns_of_many_are_contiguous_and_in_order(
    decoder: RequestDecoder, example: Request
):
    limits = [5000.0, 7000.5, 9000.0]
    applications = [
        decoder.decode(body_of(example | {"credit_limit": limit})) for limit in limits
    ]
    columns = decoder.columns(applications)
    assert columns["credit_limit"].tolist() == limits
    assert all(values.flags.c_contiguous for values in columns.values())


def test_no_applications_give_empty_columns(decoder: RequestDecoder):
    columns = decoder.columns([])
    assert {values.shape for values in columns.values()} == {(0,)}


def test_history_may_be_left_out_whole(
    decoder: RequestDecoder, contract: Contract, example: Request
):
    history = contract.names(Role.HISTORY)
    short = {name: v for name, v in example.items() if name not in history}
    without, with_ = decoder.decode(body_of(short)), decoder.decode(body_of(example))
    assert not without.has_history
    columns = decoder.columns([without, with_])
    assert np.isnan(columns["bill_amount_3"]).tolist() == [True, False]
    assert columns["credit_limit"].tolist() == [120000.0, 120000.0]


def test_history_given_in_part_lists_what_is_absent(
    decoder: RequestDecoder, example: Request
):
    for name in ("bill_amount_3", "repayment_status_1"):
        del example[name]
    message = "is missing; the history columns are given all or none"
    assert errors_of(decoder, body_of(example)) == {
        "repayment_status_1": message,
        "bill_amount_3": message,
    }


def test_every_wrong_field_is_listed_in_the_order_of_the_contract(
    decoder: RequestDecoder, example: Request
):
    wrong = example | {
        "unheard_of": 1,
        "bil_amount_1": 1,
        "age_years": 12,
        "sex": 3,
        "loan_id": "a b",
        "credit_limit": "5000",
        "repayment_status_2": 1.5,
        "bill_amount_1": None,
        "payment_amount_1": [1],
        "payment_amount_2": {"a": 1},
        "payment_amount_3": True,
        "default_next_month": 0,
    }
    assert list(errors_of(decoder, body_of(wrong)).items()) == [
        ("loan_id", "does not match the pattern ^[A-Za-z0-9._-]{1,64}$"),
        ("credit_limit", "is a string; expected a number"),
        ("repayment_status_2", "is not a whole number"),
        ("bill_amount_1", "is null; expected a number"),
        ("payment_amount_1", "is an array; expected a number"),
        ("payment_amount_2", "is an object; expected a number"),
        ("payment_amount_3", "is a boolean; expected a number"),
        ("sex", "is not one of 1, 2"),
        ("age_years", "is below the minimum of 18 years"),
        ("unheard_of", "is not a field of a request"),
        ("bil_amount_1", "is not a field of a request; did you mean bill_amount_1?"),
        ("default_next_month", "is not a field of a request"),
    ]


def test_missing_fields_are_listed(decoder: RequestDecoder):
    missing = {"loan_id": "is missing", "credit_limit": "is missing"}
    assert errors_of(decoder, b"{}") == missing


@pytest.mark.parametrize("value", ["A\n", "", "a" * 65, "a/b", "é", 5, None, "\ud800"])
def test_loan_id_is_64_plain_characters(
    decoder: RequestDecoder, example: Request, value: object
):
    errors = errors_of(decoder, body_of(example | {"loan_id": value}))
    assert list(errors) == ["loan_id"]


@pytest.mark.parametrize("literal", ["34", "34.0", "3.4e1", "340e-1"])
def test_whole_number_may_be_written_with_a_point(
    decoder: RequestDecoder, example: Request, literal: str
):
    body = body_of(example)[:-1] + f', "age_years": {literal}}}'.encode()
    assert decoder.decode(body).age_years == 34  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "literal", ["1e400", "-1e400", "1" * 400, "1" * 5000, "9" * 20, "1e-400"]
)
def test_numbers_of_any_size_are_judged(
    decoder: RequestDecoder, example: Request, literal: str
):
    del example["credit_limit"]
    body = body_of(example)[:-1] + f', "credit_limit": {literal}}}'.encode()
    assert list(errors_of(decoder, body)) == ["credit_limit"]


@pytest.mark.parametrize("literal", ["-0", "-0.0", "0", "0.0"])
def test_minus_zero_is_zero(decoder: RequestDecoder, example: Request, literal: str):
    del example["bill_amount_1"]
    body = body_of(example)[:-1] + f', "bill_amount_1": {literal}}}'.encode()
    value = decoder.columns([decoder.decode(body)])["bill_amount_1"]
    assert value.tobytes() == np.array([0.0]).tobytes()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "is empty; expected JSON"),
        (b" \n", "is empty; expected JSON"),
        (b"[]", "is an array; expected a JSON object"),
        (b"null", "is null; expected a JSON object"),
        (b"3", "is a number; expected a JSON object"),
        (b'"x"', "is a string; expected a JSON object"),
        (b'{"loan_id": "a"\n x}', "is not valid JSON at line 2, column 2"),
        (b'{"loan_id": "a"', "is not valid JSON at line 1, column 16"),
        (b"{} {}", "is not valid JSON at line 1, column 4"),
        (b"\xef\xbb\xbf{}", "is not valid JSON at line 1, column 1"),
        (b'{"loan_id": "\xff"}', "is not UTF-8 at byte 13"),
        (b'{"credit_limit": NaN}', "is not valid JSON: it holds NaN or an infinity"),
        (b'{"a": -Infinity}', "is not valid JSON: it holds NaN or an infinity"),
        (b'{"a":' * 100_000, "is nested too deeply"),
        (b"[" * 100_000, "is nested too deeply"),
        ("{}".encode("utf-16"), "is not UTF-8 at byte 0"),
    ],
)
def test_body_that_is_no_json_object_is_refused(
    decoder: RequestDecoder, body: bytes, message: str
):
    assert errors_of(decoder, body) == {"(body)": message}


def test_key_that_stands_twice_is_refused(decoder: RequestDecoder, example: Request):
    body = body_of(example)
    twice = body[:-1] + b', "credit_limit": 5000, "sex": 1, "sex": 1, "sex": 2}'
    assert errors_of(decoder, twice) == {
        "credit_limit": "stands 2 times in the request",
        "sex": "stands 3 times in the request",
    }
    escaped = body[:-1] + b', "credit\\u005flimit": 5000}'
    assert list(errors_of(decoder, escaped)) == ["credit_limit"]


def test_equal_keys_are_refused_even_if_one_value_is_a_text(
    decoder: RequestDecoder, example: Request
):
    twice = body_of(example)[:-1] + b', "loan_id": "other"}'
    assert list(errors_of(decoder, twice)) == ["loan_id"]


def test_escaped_characters_are_accepted(decoder: RequestDecoder, example: Request):
    body = body_of(example).replace(b'"loan_id"', b'"loan\\u005fid"')
    assert decoder.decode(body).loan_id == example["loan_id"]
    quoted = body_of(example | {"loan_id": 'a"b'})
    assert list(errors_of(decoder, quoted)) == ["loan_id"]


def test_unknown_field_names_are_shown_short_and_safe(decoder: RequestDecoder):
    body = b'{"\\ud800\\n": 1, "' + b"x" * 1000 + b'": 1}'
    fields = set(errors_of(decoder, body))
    assert fields == {"loan_id", "credit_limit", "??", "x" * 64 + "..."}
    for field in fields:
        field.encode()


def test_many_unknown_fields_make_a_bounded_answer(decoder: RequestDecoder):
    body = body_of({f"field_{n}": n for n in range(10_000)})
    errors = errors_of(decoder, body)
    assert len(errors) == 2 + 50 + 1
    assert errors["(body)"] == "has 9950 more unknown fields"


def test_errors_never_hold_a_value(decoder: RequestDecoder, example: Request):
    secrets = {name: "SECRET" for name in example if name != "loan_id"}
    errors = errors_of(decoder, body_of(secrets | {"loan_id": "SECRET\n"}))
    assert len(errors) == len(example)
    assert not any("SECRET" in message for message in errors.values())
    broken = errors_of(decoder, b'{"loan_id": "SECRET" SECRET}')
    assert "SECRET" not in str(broken)


def test_batch_gives_each_its_own_answer(decoder: RequestDecoder, example: Request):
    rows = [body_of(example), b"{}", b'{"loan_id": "\xff"}', b"7", body_of(example)]
    answers = list(decoder.decode_many(b" [" + b" ,\n".join(rows) + b"] "))
    kinds = [isinstance(answer, Application) for answer in answers]
    assert kinds == [True, False, False, False, True]
    errors = [a.errors for a in answers if isinstance(a, InvalidRequestError)]
    assert [[e.field for e in each] for each in errors] == [
        ["loan_id", "credit_limit"],
        ["(body)"],
        ["(body)"],
    ]


def test_batch_survives_half_a_surrogate_pair(
    decoder: RequestDecoder, example: Request
):
    body = b'[{"loan_id": "\\ud800"}, ' + body_of(example) + b"]"
    wrong, right = decoder.decode_many(body)
    assert isinstance(wrong, InvalidRequestError)
    assert isinstance(right, Application)


def test_empty_batch_is_empty(decoder: RequestDecoder):
    assert list(decoder.decode_many(b"[]")) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{}", "is an object; expected a JSON array"),
        (b"1", "is a number; expected a JSON array"),
        (b"", "is empty"),
        (b"[{]", "is not valid JSON at line 1, column 3"),
        (b"[{}", "is not valid JSON at line 1, column 4"),
        (b"[" * 100_000, "is nested too deeply"),
    ],
)
def test_batch_that_is_no_array_is_refused(
    decoder: RequestDecoder, body: bytes, message: str
):
    with pytest.raises(InvalidRequestError, match=message):
        decoder.decode_many(body)


@pytest.mark.parametrize("part", [b"{}", b"0", b'{"a":1,"b":2}'])
def test_batch_that_is_too_long_is_refused_before_it_is_read(
    decoder: RequestDecoder, part: bytes
):
    few = list(decoder.decode_many(b"[" + b",".join([part] * 20) + b"]", most=20))
    assert len(few) == 20
    for number in (21, 2_000_000):
        with pytest.raises(BatchTooLongError, match="more than 20 applications"):
            decoder.decode_many(b"[" + b",".join([part] * number) + b"]", most=20)


def test_batch_of_few_with_many_unknown_fields_names_them(
    decoder: RequestDecoder, example: Request
):
    body = body_of(example | dict.fromkeys("abcdef", 1))
    (error,) = decoder.decode_many(b"[" + body + b"]", most=1)
    assert isinstance(error, InvalidRequestError)
    assert {e.field for e in error.errors} == set("abcdef")


def test_other_kinds_of_columns_become_numbers(
    varied_decoder: RequestDecoder, varied_contract: Contract
):
    example = request_example(varied_contract)
    first = varied_decoder.decode(body_of(example))
    other = example | {
        "income_monthly": -999,
        "years_employed": 99,
        "home": "OTHER | none",
        "purpose": None,
        "first_credit_on": None,
        "application_date": "2011-01-01",
    }
    second = varied_decoder.decode(body_of(other))
    columns = varied_decoder.columns([first, second])
    np.testing.assert_array_equal(columns["income_monthly"], [2500.5, np.nan])
    np.testing.assert_array_equal(columns["years_employed"], [4.0, 40.0])
    np.testing.assert_array_equal(columns["home"], [0.0, 5.0])
    np.testing.assert_array_equal(columns["purpose"], [4.0, np.nan])
    np.testing.assert_array_equal(columns["first_credit_on"], [10956.0, np.nan])
    assert "application_date" not in columns


def test_other_kinds_of_columns_have_their_messages(
    varied_decoder: RequestDecoder, varied_contract: Contract
):
    wrong = request_example(varied_contract) | {
        "loan_id": "\ud800",
        "income_monthly": -1,
        "years_employed": 98,
        "home": "own",
        "purpose": 2,
        "first_credit_on": "1999-02-29",
        "application_date": 20100228,
    }
    assert errors_of(varied_decoder, body_of(wrong)) == {
        "loan_id": "is not valid text: it holds half of a surrogate pair",
        "income_monthly": "is below the minimum of 0 EUR",
        "years_employed": "is above the maximum of 40",
        "home": "is not one of RENT, OWN, OTHER | none",
        "purpose": "is not one of 1, 4, 9",
        "first_credit_on": "is not a date as YYYY-MM-DD",
        "application_date": "is a number; expected a date as YYYY-MM-DD",
    }


def test_contract_without_history_always_has_its_history(contract: Contract):
    columns = {
        name: column
        for name, column in contract.columns.items()
        if column.role is not Role.HISTORY
    }
    small = RequestDecoder(contract.model_copy(update={"columns": columns}))
    assert small.decode(b'{"loan_id": "a", "credit_limit": 5000}').has_history


# The parity of files and requests.


@pytest.mark.no_cover
def test_every_real_row_gives_the_same_bits_as_in_the_file(
    decoder: RequestDecoder, contract: Contract, real_applications: pd.DataFrame
):
    accepted = check_rows(real_applications, contract).accepted
    rows = [
        json.dumps({"loan_id": loan_id} | {n: int(v) for n, v in row.items()})
        for loan_id, row in zip(
            real_applications["loan_id"],
            real_applications[list(contract.input_names)].to_dict("records"),
            strict=True,
        )
    ]
    applications = list(decoder.decode_many(f"[{','.join(rows)}]".encode()))
    assert all(isinstance(a, Application) for a in applications)
    columns = decoder.columns(applications)  # type: ignore[arg-type]
    expected = {name: accepted[name].to_numpy() for name in contract.input_names}
    assert bits(columns) == bits(expected)


LITERALS = st.one_of(
    st.integers(-3, 12).map(str),
    st.integers(-(10**8), 10**8).map(str),
    st.floats(-1e8, 1e8).map(repr),
    st.sampled_from(["-0", "-0.0", "2.0", "2.5", "1e3", "-1E-2", "1e999", "0.1e1"]),
    st.sampled_from(["-999", "99", "1000", "10000000", "18", "110", "41"]),
)


@settings(deadline=None)
@given(data=st.data())
def test_file_and_request_agree_on_every_number(
    decoder: RequestDecoder, contract: Contract, data: st.DataObject
):
    numeric = [name for name in contract.columns if name != "loan_id"]
    changed = data.draw(st.dictionaries(st.sampled_from(numeric), LITERALS, max_size=3))
    cells = {
        name: str(column.example) for name, column in contract.columns.items()
    } | changed
    cells["default_next_month"] = "0"
    frame = pd.DataFrame({"source_row": [2], **{n: [c] for n, c in cells.items()}})
    checked = check_rows(frame, contract)
    members = [
        f'"{name}": {json.dumps(cell) if name == "loan_id" else cell}'
        for name, cell in cells.items()
        if name != "default_next_month"
    ]
    body = f"{{{', '.join(members)}}}".encode()
    try:
        application = decoder.decode(body)
    except InvalidRequestError as error:
        found = {(e.field, e.message) for e in error.errors}
        rejected = checked.rejected[["column", "reason"]]
        assert found == set(rejected.itertuples(index=False, name=None))
        return
    assert checked.rejected.empty
    expected = {n: checked.accepted[n].to_numpy() for n in contract.input_names}
    assert bits(decoder.columns([application])) == bits(expected)


# The fast way against the careful one, and both against the schema.

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([-999, 99, 2.0, 2.5, -0.0, 1e3, 1e308, "RENT", "OWN", "own"]),
    st.sampled_from(["", "2", "a b", "A-1", "2010-02-28", "2010-02-30", "a\n"]),
    st.text(max_size=3),
    st.lists(st.integers(), max_size=1),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
)


@st.composite
def spoiled_requests(draw: st.DrawFn, contract: Contract) -> Request:
    request: Request = request_example(contract)
    names = [*contract.columns, "unheard_of"]
    request |= draw(st.dictionaries(st.sampled_from(names), VALUES, max_size=4))
    for name in draw(st.sets(st.sampled_from(names), max_size=2)):
        request.pop(name, None)
    if draw(st.booleans()):
        for name in contract.names(Role.HISTORY):
            request.pop(name, None)
    return request


def conforms(value: object, schema: dict[str, Any]) -> bool:
    """Judge a property by its JSON Schema, written from the specification alone."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    is_of = {
        "null": value is None,
        "string": isinstance(value, str),
        "number": number,
        "integer": number and float(value).is_integer(),  # type: ignore[arg-type]
    }
    kinds = schema.get("type", [])
    if kinds and not any(is_of[k] for k in ([kinds] if str(kinds) == kinds else kinds)):
        return False
    if "enum" in schema and not any(
        value == allowed and isinstance(value, bool) == isinstance(allowed, bool)
        for allowed in schema["enum"]
    ):
        return False
    if "pattern" in schema and isinstance(value, str):
        pattern = schema["pattern"].removesuffix("$") + r"\Z"
        if not re.search(pattern, value, re.ASCII):
            return False
    if number and not (
        schema.get("minimum", -np.inf) <= value <= schema.get("maximum", np.inf)  # type: ignore[operator]
    ):
        return False
    return "anyOf" not in schema or any(conforms(value, s) for s in schema["anyOf"])


def wrong_by_schema(request: Request, schema: dict[str, Any]) -> set[str]:
    assert schema["additionalProperties"] is False
    wrong = {n for n in request if n not in schema["properties"]}
    wrong |= {n for n in schema["required"] if n not in request}
    for name, value in request.items():
        if name in schema["properties"]:
            if not conforms(value, schema["properties"][name]):
                wrong.add(name)
            # Follow the ring: one history column asks for all the others.
            asked, pending = set(), [name]
            while pending:
                for other in schema.get("dependentRequired", {}).get(pending.pop(), []):
                    if other not in asked:
                        asked.add(other)
                        pending.append(other)
            wrong |= {other for other in asked if other not in request}
    return wrong


def wrong_by_decoder(decoder: RequestDecoder, request: Request) -> set[str]:
    try:
        decoder.decode(body_of(request))
    except InvalidRequestError as error:
        return {e.field for e in error.errors}
    return set()


@pytest.mark.parametrize("which", ["contract", "varied_contract"])
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_decoder_and_schema_agree(
    request: pytest.FixtureRequest, which: str, data: st.DataObject
):
    contract: Contract = request.getfixturevalue(which)
    decoder = RequestDecoder(contract)
    spoiled = data.draw(spoiled_requests(contract))
    wrong = wrong_by_schema(spoiled, request_json_schema(contract))
    impossible = {
        name
        for name in ("first_credit_on", "application_date")
        if spoiled.get(name) == "2010-02-30"  # a format, beyond patterns
    }
    assert wrong_by_decoder(decoder, spoiled) == wrong | impossible


@pytest.mark.parametrize("which", ["contract", "varied_contract"])
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_fast_and_careful_reading_agree(
    request: pytest.FixtureRequest, which: str, data: st.DataObject
):
    contract: Contract = request.getfixturevalue(which)
    decoder = RequestDecoder(contract)
    body = body_of(data.draw(spoiled_requests(contract)))
    try:
        careful = RequestCheck(contract).read(body)
    except InvalidRequestError:
        with pytest.raises(InvalidRequestError):
            decoder.decode(body)
        return
    fast = decoder.decode(body)
    slow = type(fast)(**careful)  # type: ignore[arg-type]
    assert bits(decoder.columns([fast])) == bits(decoder.columns([slow]))
    assert fast.has_history == slow.has_history


@settings(deadline=None)
@given(body=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_body_raises_anything_else(decoder: RequestDecoder, body: bytes):
    # None of these bodies holds the fields that every request must have.
    with pytest.raises(InvalidRequestError) as error:
        decoder.decode(body)
    assert error.value.errors
    assert len(str(error.value)) < 2000
    with contextlib.suppress(InvalidRequestError):
        decoder.decode_many(body)


def test_right_request_is_decoded_in_microseconds(
    decoder: RequestDecoder, example: Request
):
    body = body_of(example)

    def work() -> None:
        decoder.columns([decoder.decode(body)])

    seconds = min(timeit.repeat(work, number=500, repeat=5)) / 500
    assert seconds < 100e-6, "measured 8 microseconds on a quiet machine"


def test_request_side_needs_no_training_library():
    program = (
        "import sys, credit_scoring.contract.request\n"
        "print(sorted({'pandas','pyarrow','pandera','kedro','scipy'} & {*sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"

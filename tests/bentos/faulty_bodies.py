"""Bodies that are no application under the contract."""

import codecs
import json
from random import Random
from typing import Any

from .faulty_requests import (
    MARKED_NUMBER,
    MARKER,
    Faulty,
    Row,
    any_number,
    as_json,
    kind,
    sound,
)


def with_raw(row: Row, name: str, raw: str) -> bytes:
    """Write a row with one value as it is given, JSON or not."""
    placeholder = "@@here@@"
    return as_json({**row, name: placeholder}).replace(
        f'"{placeholder}"'.encode(), raw.encode("utf-8", "surrogatepass")
    )


@kind("NaN or an infinity")
def not_finite(random: Random, row: Row) -> Faulty:
    raw = random.choice(["NaN", "Infinity", "-Infinity", "nan", "inf", "+1"])
    return sound(with_raw(row, any_number(random, row), raw), names="(body)")


@kind("1e999 and other endless numbers")
def endless(random: Random, row: Row) -> Faulty:
    raw = random.choice(["1e999", "-1e999", "1" * 400, "-" + "9" * 5000, "1e400"])
    name = any_number(random, row)
    return sound(with_raw(row, name, raw), names=name)


@kind("a huge number")
def huge(random: Random, row: Row) -> Faulty:
    name = any_number(random, row)
    value = random.choice([MARKED_NUMBER, MARKED_NUMBER * 10**30, 2**63, 1.7e308])
    return sound(as_json({**row, name: value}), names=name)


@kind("a negative number")
def negative(random: Random, row: Row) -> Faulty:
    name = any_number(random, row)
    value = -random.choice([MARKED_NUMBER, 1e300, 2**64])
    return sound(as_json({**row, name: value}), names=name)


@kind("a number of odd form")
def odd_number(random: Random, row: Row) -> Faulty:
    odd = ["-0", "0.0", "1e-999", "-0e99", "0.1e1", "1E+0", "5e-324"]
    raw = random.choice(odd)
    return sound(with_raw(row, any_number(random, row), raw), 200, 400)


@kind("a number that is not JSON")
def not_a_json_number(random: Random, row: Row) -> Faulty:
    raw = random.choice(["01", "1.", ".5", "0x1F", "1_000", "1e", "--1", "1 2", "٣"])
    return sound(with_raw(row, any_number(random, row), raw), names="(body)")


@kind("a wrong type")
def wrong_type(random: Random, row: Row) -> Faulty:
    name = any_number(random, row)
    value = random.choice(
        [MARKER, str(MARKED_NUMBER), True, False, None, [], [1], {}, {MARKER: 1}, ""]
    )
    return sound(as_json({**row, name: value}), names=name)


@kind("a wrong loan_id")
def wrong_identifier(random: Random, row: Row) -> Faulty:
    value: Any = random.choice(
        [
            f"{MARKER} {MARKER}",
            f"'; drop table {MARKER}; --",
            f"../../{MARKER}",
            f"{MARKER}%s%n{{0}}${{jndi:x}}",
            f"{MARKER}\n",
            f"{MARKER}\x00",
            f"{MARKER}é",
            MARKER * 50,
            MARKER * 5000,
            "",
            MARKED_NUMBER,
            None,
            [MARKER],
        ]
    )
    return sound(as_json({**row, "loan_id": value}), names="loan_id")


@kind("an unknown key")
def unknown_key(random: Random, row: Row) -> Faulty:
    name = random.choice(["credit_limits", "", "é", "\x00", "__proto__", "a" * 5000])
    value = random.choice([MARKER, MARKED_NUMBER, [MARKER], None])
    return sound(as_json({**row, name: value}))


@kind("thousands of unknown keys", weight=0.1)
def many_keys(random: Random, row: Row) -> Faulty:
    more = {f"k{number}": 1 for number in range(random.randint(100, 4000))}
    return sound(as_json({**row, **more}), names="k0")


@kind("a key twice")
def key_twice(random: Random, row: Row) -> Faulty:
    name = random.choice(list(row))
    again = random.choice([row[name], MARKER, MARKED_NUMBER])
    body = as_json(row)[:-1] + f', "{name}": {json.dumps(again)}}}'.encode()
    return sound(body, names=name)


@kind("an escaped key twice")
def escaped_key_twice(random: Random, row: Row) -> Faulty:
    name = random.choice(list(row))
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in name)
    body = as_json(row)[:-1] + f', "{escaped}": {json.dumps(row[name])}}}'.encode()
    return sound(body, names=name)


@kind("a missing column")
def missing_column(random: Random, row: Row) -> Faulty:
    name = random.choice(list(row))
    rest = {key: value for key, value in row.items() if key != name}
    return sound(as_json(rest), names=name)


@kind("a part of the history")
def part_of_history(random: Random, row: Row) -> Faulty:
    names = list(row)[2:]
    kept = random.sample(names, random.randint(1, len(names) - 1))
    partial = {name: row[name] for name in (*list(row)[:2], *kept)}
    return sound(as_json(partial))


@kind("deep nesting", weight=0.5)
def deep(random: Random, row: Row) -> Faulty:
    depth = random.choice([10, 100, 900, 1100, 5000, 9000])
    opening, closing = random.choice([("[", "]"), ('{"a":', "}")])
    nested = opening * depth + ("1" if opening != "[" else "") + closing * depth
    if random.random() < 0.3:
        nested = opening * depth  # never closed
    if random.random() < 0.3:
        return sound(nested.encode())
    return sound(with_raw(row, random.choice(list(row)), nested))


@kind("deep nesting in a batch", weight=0.3)
def deep_in_batch(random: Random, row: Row) -> Faulty:
    depth = random.choice([900, 5000, 100_000])
    body = b"[" + as_json(row) + b"," + b"[" * depth + b"]" * depth + b"]"
    return sound(body, 200, 400, path=b"/predict/batch")


@kind("invalid UTF-8")
def invalid_utf8(random: Random, row: Row) -> Faulty:
    wrong = random.choice(
        [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xe2\x82"]
    )
    body = as_json({**row, "loan_id": MARKER})
    return sound(body.replace(MARKER.encode(), MARKER.encode() + wrong))


@kind("another encoding or a BOM")
def other_encoding(random: Random, row: Row) -> Faulty:
    text = json.dumps({**row, "loan_id": MARKER})
    encoding = random.choice(["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp037"])
    body = text.encode(encoding)
    if encoding == "utf-8-sig":
        assert body.startswith(codecs.BOM_UTF8)
    return sound(body)


@kind("half of a surrogate pair")
def lone_surrogate(random: Random, row: Row) -> Faulty:
    half = random.choice([r"\ud800", r"\udfff", r"\udc00\ud800", r"\uD83D"])
    if random.random() < 0.5:
        body = as_json(row)[:-1] + f', "{half}": 1}}'.encode()
        return sound(body)
    return sound(with_raw(row, "loan_id", f'"{half}"'), names="loan_id")


@kind("control characters in JSON")
def control_characters(random: Random, row: Row) -> Faulty:
    raw = random.choice(["\x00", "\x1b[31m", "\n", "\r\n", "\x7f\x01", "\u2028"])
    return sound(with_raw(row, "loan_id", f'"{MARKER}{raw}"'))


@kind("truncated JSON")
def truncated(random: Random, row: Row) -> Faulty:
    body = as_json(row)
    return sound(body[: random.randrange(len(body) - 1)], names="(body)")


@kind("something after the JSON")
def trailing(random: Random, row: Row) -> Faulty:
    more = random.choice([b"}", b",", as_json(row), b"\x00", b"x", b"//", b"null"])
    return sound(as_json(row) + more, names="(body)")


@kind("nearly JSON")
def nearly_json(random: Random, row: Row) -> Faulty:
    text = json.dumps(row)
    body = random.choice(
        [
            text.replace('"', "'"),
            text[:-1] + ",}",
            "/* a comment */ " + text,
            text.replace(":", "=", 1),
            text.replace(",", ";", 1),
            "loan_id: 1\ncredit_limit: 2\n",
            "<application/>",
            "loan_id=1&credit_limit=2",
        ]
    )
    return sound(body.encode(), names="(body)")


@kind("a changed byte")
def changed_byte(random: Random, row: Row) -> Faulty:
    body = bytearray(as_json(row))
    for _ in range(random.randint(1, 4)):
        body[random.randrange(len(body))] = random.randrange(256)
    return sound(bytes(body), 200, 400)


@kind("random bytes as a body")
def random_body(random: Random, row: Row) -> Faulty:
    return sound(random.randbytes(random.randint(1, 2000)), names="(body)")


@kind("an empty body")
def empty_body(random: Random, row: Row) -> Faulty:
    path = random.choice([b"/predict", b"/predict/batch"])
    body = random.choice([b"", b" ", b"\n\t", b" " * 5000])
    return sound(body, path=path, names="(body)")


@kind("no object as a body")
def not_an_object(random: Random, row: Row) -> Faulty:
    value = random.choice(
        [[], [row], 1, MARKED_NUMBER, MARKER, True, None, 1.5, [[[]]], "", 0]
    )
    return sound(as_json(value), names="(body)")


@kind("an empty object")
def empty_object(random: Random, row: Row) -> Faulty:
    return sound(b"{}", names="loan_id")


@kind("an empty batch or none")
def no_batch(random: Random, row: Row) -> Faulty:
    value = random.choice([[], {}, row, 1, None, MARKER, True])
    return sound(as_json(value), path=b"/predict/batch", names="(body)")


@kind("a batch with anything in it")
def odd_batch(random: Random, row: Row) -> Faulty:
    odd = [1, MARKER, None, [], {}, [[row]], True, {MARKER[:3]: 1}, MARKED_NUMBER, row]
    items = random.choices(odd, k=random.randint(1, 12))
    return sound(as_json(items), 200, path=b"/predict/batch")


@kind("a batch cut off")
def truncated_batch(random: Random, row: Row) -> Faulty:
    body = as_json([row, row, row])
    cut = body[: random.randrange(1, len(body) - 1)]
    return sound(cut, path=b"/predict/batch", names="(body)")


@kind("a batch of nothing but errors", weight=0.03)
def wrong_batch(random: Random, row: Row) -> Faulty:
    body = b"[" + b",".join([b"{}"] * random.randint(100, 2000)) + b"]"
    return sound(body, 200, path=b"/predict/batch")


@kind("a batch of too many", weight=0.03)
def long_batch(random: Random, row: Row) -> Faulty:
    body = b"[" + b",".join([b"0"] * random.choice([10_001, 100_000])) + b"]"
    return sound(body, 413, path=b"/predict/batch")

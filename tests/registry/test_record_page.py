import re
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from credit_scoring.registry.gates import Gate
from credit_scoring.registry.record_page import record_page
from credit_scoring.registry.records import Change, write_record
from credit_scoring.registry.roles import JudgedCandidate
from credit_scoring.registry.signing import Signer
from credit_scoring.registry.versions import RegisteredVersion

SIGNER = Signer(Ed25519PrivateKey.generate())
VERSION = RegisteredVersion(version=2, run_id="r2", digest="d2", family="boosting")
CHANGE = Change(
    model="credit_scoring",
    kind="promotion",
    decision="boosting <2> passes & replaces nobody",
    before={"champion": None, "challenger": None},
    after={"champion": VERSION, "challenger": None},
    candidates=[
        JudgedCandidate(
            family="boosting",
            version=2,
            run_id="r2",
            digest="d2",
            new=True,
            auc=0.78,
            gates=(
                Gate(
                    name="minimum_auc",
                    figure=0.78,
                    threshold="at least 0.7",
                    passed=True,
                    why="0.78 reaches it",
                ),
                Gate(
                    name="calibration_slope",
                    figure=None,
                    threshold="0.9 to 1.1",
                    passed=False,
                    why="it was not measured",
                ),
            ),
        )
    ],
)


def test_the_page_says_who_why_and_every_gate() -> None:
    record = write_record(CHANGE, SIGNER)
    page = record_page(record)
    assert "boosting &lt;2&gt; passes &amp; replaces nobody." in page
    assert "version 2, boosting" in page
    for text in ("minimum auc", "0.78", "calibration slope", "not measured"):
        assert text in page
    assert page.count(">passed</td>") == page.count(">not passed</td>") == 1
    assert record["digest"] in page
    assert record["signature"]["key_id"] in page


def test_the_page_loads_nothing() -> None:
    page = record_page(write_record(CHANGE, SIGNER))
    assert not re.search(r"(src|href)=|@import|url\(", page)


def test_a_rollback_has_no_candidates() -> None:
    change = replace(CHANGE, kind="rollback", candidates=(), previous="p" * 64)
    page = record_page(write_record(change, SIGNER))
    assert "Rollback of credit_scoring" in page
    assert "p" * 64 in page
    assert "Gate" not in page

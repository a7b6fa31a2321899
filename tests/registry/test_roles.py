import pytest

from credit_scoring.registry.gates import Gate
from credit_scoring.registry.roles import JudgedCandidate, Roles, assign_roles


def gate(name: str, passed: bool) -> Gate:
    return Gate(name=name, figure=0.0, threshold="t", passed=passed, why="w")


def candidate(  # noqa: PLR0913 - each names one thing that a test varies
    family: str,
    version: int | None,
    auc: float | None,
    *,
    good_auc: bool = True,
    good_rest: bool = True,
    new: bool = True,
    alike: bool = False,
) -> JudgedCandidate:
    return JudgedCandidate(
        family=family,
        version=version,
        run_id="r",
        digest="d",
        new=new,
        alike=alike,
        auc=auc,
        gates=(
            gate("auc_against_champion", good_auc),
            gate("calibration_slope", good_rest),
            gate("artifact_verified", good_rest),
        ),
    )


def roles(
    *candidates: JudgedCandidate, champion: int | None = None, other: int | None = None
) -> tuple[int | None, int | None]:
    found: Roles = assign_roles(candidates, champion=champion, challenger=other)
    assert found.why
    return found.champion, found.challenger


def test_on_a_fresh_registry_the_better_is_champion_and_the_other_challenger() -> None:
    assert roles(candidate("s", 1, 0.77), candidate("b", 2, 0.78)) == (2, 1)


def test_equal_candidates_go_by_the_name_of_the_family() -> None:
    assert roles(candidate("s", 1, 0.78), candidate("b", 2, 0.78)) == (2, 1)


def test_the_better_one_that_does_not_pass_is_not_champion() -> None:
    better = candidate("b", 2, 0.79, good_rest=False)
    assert roles(candidate("s", 1, 0.77), better) == (1, None)


def test_nobody_who_passes_means_nobody_is_champion() -> None:
    failing = [candidate("s", 1, 0.6, good_auc=False), candidate("b", None, None)]
    assert roles(*failing) == (None, None)


def test_a_replaced_champion_becomes_challenger() -> None:
    new = [candidate("s", 3, 0.77), candidate("b", 4, 0.785)]
    assert roles(*new, champion=2, other=1) == (4, 2)


def test_a_champion_that_nobody_beats_stays_beside_the_best_new_one() -> None:
    new = [
        candidate("s", 3, 0.75, good_auc=False),
        candidate("b", 4, 0.76, good_auc=False),
    ]
    assert roles(*new, champion=2, other=1) == (2, 4)


def test_an_unsound_candidate_does_not_become_challenger() -> None:
    new = [candidate("b", 4, 0.79, good_rest=False)]
    assert roles(*new, champion=2, other=1) == (2, 1)


def test_the_same_run_again_changes_nothing() -> None:
    again = [candidate("s", 1, 0.77, new=False), candidate("b", 2, 0.78, new=False)]
    assert roles(*again, champion=2, other=1) == (2, 1)
    # The champion's predecessor is watched: an old candidate does not displace it.
    assert roles(*again, champion=2, other=7) == (2, 7)


def test_the_same_run_again_fills_an_empty_place() -> None:
    again = [candidate("s", 1, 0.77, new=False), candidate("b", 2, 0.78, new=False)]
    assert roles(*again, champion=2) == (2, 1)


def test_a_new_candidate_of_the_other_family_becomes_challenger() -> None:
    found = [candidate("s", 3, 0.772), candidate("b", 2, 0.78, new=False)]
    assert roles(*found, champion=2, other=1) == (2, 3)


@pytest.mark.parametrize(
    ("judged", "passed", "sound"),
    [
        (candidate("b", 1, 0.7), True, True),
        (candidate("b", 1, 0.7, good_auc=False), False, True),
        (candidate("b", 1, 0.7, good_rest=False), False, False),
        (candidate("b", None, None), False, False),
    ],
)
def test_sound_is_everything_but_keeping_up_with_the_champion(
    judged: JudgedCandidate, passed: bool, sound: bool
) -> None:
    assert (judged.passed, judged.sound) == (passed, sound)


def test_the_champion_made_again_changes_nothing() -> None:
    again = candidate("b", 3, 0.78, alike=True)
    weaker = candidate("s", 4, 0.77, good_auc=False)
    assert roles(again, champion=1, other=2) == (1, 2)
    assert roles(again, champion=1) == (1, None)
    # What is new beside it may still be challenger.
    assert roles(again, weaker, champion=1, other=2) == (1, 4)
    found = assign_roles([again], champion=1, challenger=2)
    assert "version 3 decides every test row as the champion, version 1" in found.why

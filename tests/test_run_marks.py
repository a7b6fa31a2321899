from pathlib import Path

from credit_scoring.run_marks import FOLDER, UnfinishedMarks


def test_a_dataset_is_marked_until_it_is_made(tmp_path: Path) -> None:
    marks = UnfinishedMarks(tmp_path)
    marks.put(["splits", "boosting.model"], "kedro run")
    assert marks.among({"boosting.model", "features"}) == {
        "boosting.model": "kedro run"
    }
    marks.remove(["boosting.model", "never_marked"])
    assert marks.among({"boosting.model", "splits"}) == {"splits": "kedro run"}


def test_without_an_earlier_run_nothing_is_marked_or_written(tmp_path: Path) -> None:
    marks = UnfinishedMarks(tmp_path)
    assert marks.among({"splits"}) == {}
    marks.remove(["splits"])
    assert not (tmp_path / FOLDER).exists()

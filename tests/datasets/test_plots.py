import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kedro.io import DatasetError
from matplotlib.figure import Figure

from credit_scoring.datasets.plots import PlotDataset

PNG = b"\x89PNG\r\n"


def figure() -> Figure:
    drawn = Figure(figsize=(1, 1))
    drawn.subplots().plot([0, 1], [1, 0])
    return drawn


def test_a_figure_is_loaded_as_the_image_that_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "with space" / "plot.png"
    dataset = PlotDataset(filepath=str(path))
    dataset.save(figure())
    assert dataset.load() == path.read_bytes()
    assert dataset.load().startswith(PNG)


def test_a_plot_on_another_filesystem_is_loaded() -> None:
    dataset = PlotDataset(filepath="memory:///plots/plot.png")
    dataset.save(figure())
    assert dataset.load().startswith(PNG)


def test_a_plot_that_was_not_drawn_is_said_to_be(tmp_path: Path) -> None:
    dataset = PlotDataset(filepath=str(tmp_path / "none.png"))
    with pytest.raises(DatasetError, match=r"none\.png: there is no such plot"):
        dataset.load()


def test_the_preview_is_the_image(tmp_path: Path) -> None:
    dataset = PlotDataset(filepath=str(tmp_path / "plot.png"))
    dataset.save(figure())
    assert base64.b64decode(dataset.preview()) == dataset.load()


def test_plots_are_drawn_in_several_threads(tmp_path: Path) -> None:
    plots = [PlotDataset(filepath=str(tmp_path / f"{i}.png")) for i in range(8)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda plot: plot.save(figure()), plots))
    assert len({plot.load() for plot in plots}) == 1

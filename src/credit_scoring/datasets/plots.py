"""Plots in the catalog: drawn by one node, read by another."""

import threading

from kedro.io import DatasetError
from kedro.io.core import get_filepath_str
from kedro_datasets.matplotlib import MatplotlibDataset
from matplotlib.figure import Figure

# A figure is drawn when it is saved, which Matplotlib cannot do in two threads.
_DRAWING = threading.Lock()


class PlotDataset(MatplotlibDataset):  # type: ignore[misc]
    """A figure, saved as an image and loaded as the image's bytes.

    Its arguments and its preview in Kedro-Viz are those of kedro-datasets'
    `MatplotlibDataset`, which cannot be loaded.
    """

    def load(self) -> bytes:
        """Read the image.

        Raises:
            DatasetError: If it was not drawn.
        """
        path = get_filepath_str(self._get_load_path(), self._protocol)
        if not self._fs.exists(path):
            raise DatasetError(f"{path}: there is no such plot")
        content: bytes = self._fs.cat_file(path)
        return content

    def save(self, data: Figure) -> None:
        """Draw the figure into its file."""
        with _DRAWING:
            super().save(data)

from pathlib import Path
from typing import Any

import pytest
import yaml

CONF = Path(__file__).parents[1] / "conf"
LAYERS = {
    "01_raw",
    "02_intermediate",
    "04_feature",
    "05_model_input",
    "06_models",
    "07_model_output",
    "08_reporting",
    "09_release",
}
ENTRIES = {
    f"{path.parent.name}/{path.name}: {name}": entry
    for path in sorted(CONF.glob("*/catalog*.yml"))
    for name, entry in yaml.safe_load(path.read_text(encoding="utf-8")).items()
    if not name.startswith("_")
}


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_an_entry_has_the_layer_of_its_folder(entry: dict[str, Any]) -> None:
    layer = entry["metadata"]["kedro-viz"]["layer"]
    assert layer in LAYERS
    if entry["type"].endswith(".HistoryStoreDataset"):
        return  # a server, not a file
    folder, _, rest = entry["filepath"].partition("/")
    if folder in ("bentos", "${globals:release}"):
        # BentoML builds from there.
        assert layer == "09_release"
    elif layer == "01_raw":
        # Delivered, so it is where somebody put it.
        assert not entry["filepath"].startswith("${globals:data}")
    else:
        assert (folder, rest.partition("/")[0]) == ("${globals:data}", layer)

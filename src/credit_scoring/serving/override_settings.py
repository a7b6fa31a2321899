"""Where the state of routing is kept, which overrides the configured one."""

from pydantic import Field

from credit_scoring.feature_store.settings import HistorySettings


class OverrideSettings(HistorySettings):
    """The folder of the override."""

    routing_dir: str = Field(
        default="logs/routing",
        min_length=1,
        description=(
            "Folder of the routing's state: an override in it sends everybody to the "
            "champion, on every worker within a second, until a person clears it. One "
            "folder for all servers of a release; the pipeline that watches needs it, "
            "too."
        ),
        json_schema_extra={"allowed": "path"},
    )

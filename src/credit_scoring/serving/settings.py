"""Settings of the service, from the environment: named, checked, documented."""

import difflib
from collections.abc import Mapping
from typing import Literal

from pydantic import ConfigDict, Field

from credit_scoring.environment import PREFIX, read_settings, variable
from credit_scoring.errors import SettingsError
from credit_scoring.serving.log_settings import LogSettings
from credit_scoring.serving.monitoring_settings import MonitoringSettings
from credit_scoring.serving.override_settings import OverrideSettings

# Variables with the prefix that another part of the platform reads. They are
# listed here so that the service can tell them from a typo.
NAMES_READ_ELSEWHERE: Mapping[str, str] = {
    "CREDIT_SCORING_SIGNING_KEY_FILE": (
        "PEM file (PKCS 8) with the Ed25519 key that signs promotions. Without it a "
        "key below `conf/local/` is made and used."
    ),
    "CREDIT_SCORING_TRUSTED_KEYS_DIR": (
        "Folder of public keys (`*.pem`) whose signatures under promotions are "
        "believed. Without it, promotion believes its own key, and the service checks "
        "only that its record is unaltered and names its models."
    ),
    "CREDIT_SCORING_ACTOR": (
        "Who promotes, as records name it. Without it, the user of the process."
    ),
    "CREDIT_SCORING_LENDING_CLUB_FILE": (
        "The raw file of `kedro run --env lending_club`; not read by the service."
    ),
}


class Settings(LogSettings, MonitoringSettings, OverrideSettings):
    """What an operator may change without a new Bento."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    routing: Literal["champion", "shadow", "split"] = Field(
        default="champion",
        description=(
            "Which model decides. `champion`: the champion, always. `shadow`: the "
            "champion, and the challenger scores after the answer. `split`: the "
            "challenger on its share of the applicants."
        ),
    )
    runners: Literal["in_process", "apart"] = Field(
        default="in_process",
        description=(
            "Where champion and challenger compute. `in_process`: in each worker. "
            "`apart`: each in a BentoML service of its own, for models that need "
            "their own hardware; without its service the champion computes in the "
            "worker, and the challenger is left out."
        ),
    )
    champion_timeout_ms: int = Field(
        default=100,
        ge=1,
        le=60_000,
        description=(
            "With the runners `apart`, longest time for the champion's decision by "
            "its service; then the worker computes it."
        ),
    )
    challenger_share: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Share of the applicants whom the challenger decides in `split`.",
    )
    routing_salt: str = Field(
        default="champion-challenger",
        min_length=1,
        max_length=64,
        description=(
            "Names the experiment. With the `loan_id` it draws the arm in `split`; "
            "another salt draws every applicant anew."
        ),
    )
    challenger_timeout_ms: int = Field(
        default=100,
        ge=1,
        le=60_000,
        description=(
            "Longest time for the challenger's decision in `split`, and for any by "
            "its service; then the champion decides."
        ),
    )
    challenger_waiting: int = Field(
        default=10_000,
        ge=1,
        le=1_000_000,
        description=(
            "Most applications that wait for the challenger; in `shadow` more are "
            "left out, in `split` the champion decides on them."
        ),
    )
    max_body_bytes: int = Field(
        default=64 * 1024,
        ge=1024,
        le=16 * 1024**2,
        description="Largest body of `POST /predict`; a larger one is answered 413.",
    )
    max_batch_body_bytes: int = Field(
        default=16 * 1024**2,
        ge=1024,
        le=1024**3,
        description=(
            "Largest body of `POST /predict/batch`; a larger one is answered 413."
        ),
    )
    max_batch_rows: int = Field(
        default=10_000,
        ge=1,
        le=100_000_000,
        description=(
            "Most applications in one `POST /predict/batch`; more are answered 413."
        ),
    )
    batch_rows_at_a_time: int = Field(
        default=256,
        ge=1,
        le=1_000_000,
        description=(
            "Applications of a batch that are in memory at a time: read, decided and "
            "sent; an answer to more comes in parts."
        ),
    )
    body_timeout_ms: int = Field(
        default=10_000,
        ge=100,
        le=600_000,
        description=(
            "How long a client may take to send its body; then it is answered 408."
        ),
    )
    max_head_bytes: int = Field(
        default=64 * 1024,
        ge=1024,
        le=16 * 1024**2,
        description=(
            "Path and headers of a request that are larger, and still not complete, "
            "are answered 431."
        ),
    )
    head_timeout_ms: int = Field(
        default=10_000,
        ge=100,
        le=600_000,
        description=(
            "How long a client may take to send path and headers; then it is answered "
            "408. As soon a new connection without a request is closed, and one whose "
            "client takes nothing of its answer."
        ),
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=256,
        description="Worker processes of `bentoml serve`; one core serves one.",
    )
    max_waiting: int = Field(
        default=1000,
        ge=1,
        le=1_000_000,
        description=(
            "Most applications of `POST /predict` that a worker is deciding on at a "
            "time; more are answered 503."
        ),
    )
    max_waiting_batches: int = Field(
        default=8,
        ge=1,
        le=10_000,
        description=(
            "Most batches that a worker is deciding on at a time, one after another; "
            "more are answered 503."
        ),
    )
    metrics_dir: str = Field(
        default="",
        description=(
            "Folder in which the workers of this server count together, on a disk in "
            "memory if there is one; by default a temporary one that goes with the "
            "server. No two servers may share one."
        ),
        json_schema_extra={"allowed": "path"},
    )
    drain_ms: int = Field(
        default=1000,
        ge=0,
        le=600_000,
        description=(
            "How long a worker goes on answering after SIGTERM, with readiness off: "
            "longer than the gateway takes to notice."
        ),
    )
    idempotency_ttl_hours: float = Field(
        default=24.0,
        ge=0.001,
        le=24 * 31,
        description="How long the answer to an `Idempotency-Key` is repeated.",
    )
    idempotency_answers: int = Field(
        default=20_000,
        ge=1,
        le=10_000_000,
        description=(
            "Most answers that a worker keeps by itself; a thousand take about 1 MB."
        ),
    )
    idempotency_timeout_ms: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description=(
            "Longest wait for Redis at each step under an `Idempotency-Key`; then the "
            "worker keeps the answer by itself."
        ),
    )


def known_names() -> frozenset[str]:
    """Every environment variable with the prefix that has a meaning."""
    ours = {variable(field) for field in Settings.model_fields}
    return frozenset(ours | set(NAMES_READ_ELSEWHERE))


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings; what is not set has its default.

    Args:
        environment: Usually ``os.environ``. Names without the prefix are
            somebody else's.

    Raises:
        SettingsError: If a name with the prefix is not known, or a value is not
            allowed. The message never holds the value: it may be a secret.
    """
    refuse_unknown_names(environment)
    return read_settings(Settings, environment)


def check_routing(settings: Settings, *, has_challenger: bool) -> None:
    """Refuse a routing that this release can never follow.

    Raises:
        SettingsError: If routing needs a challenger and the release has none.
    """
    if settings.routing != "champion" and not has_challenger:
        raise SettingsError(
            f"{variable('routing')} is {settings.routing}, but the release has no "
            "challenger: set it to champion, or package a release with a challenger"
        )


def workers_asked_for(environment: Mapping[str, str]) -> int:
    """Read how many workers there are to be.

    BentoML asks when it imports the service. Wrong settings, which the start
    refuses a moment later with the reason, are passed over here.
    """
    try:
        return load_settings(environment).workers
    except SettingsError:
        return 1


def runners_are_apart(environment: Mapping[str, str]) -> bool:
    """Read whether the runners are to be services of their own.

    BentoML asks when it imports the service, as it does for the workers.
    """
    try:
        return load_settings(environment).runners == "apart"
    except SettingsError:
        return False


def refuse_unknown_names(environment: Mapping[str, str]) -> None:
    """Refuse a misspelt setting, which would otherwise silently do nothing.

    Raises:
        SettingsError: If a name with the prefix is not known.
    """
    known = known_names()
    unknown = sorted(
        name for name in environment if name.startswith(PREFIX) and name not in known
    )
    if unknown:
        hints = "; ".join(_with_near_match(name, known) for name in unknown[:8])
        raise SettingsError(
            f"{len(unknown)} unknown settings in the environment: {hints}"
        )


def _with_near_match(name: str, known: frozenset[str]) -> str:
    # The prefix, which all names share, must not make strangers look alike.
    tails = sorted(other.removeprefix(PREFIX) for other in known)
    near = difflib.get_close_matches(name.removeprefix(PREFIX), tails, n=1)
    shown = name[:80]
    return f"{shown} (did you mean {PREFIX}{near[0]}?)" if near else shown


def settings_table() -> str:
    """Render the table of every setting, as the documentation shows it."""
    lines = ["| variable | default | allowed | what |", "| --- | --- | --- | --- |"]
    properties = Settings.model_json_schema()["properties"]
    for field, schema in properties.items():
        lines.append(
            f"| `{variable(field)}` | {_shown(schema['default'])} | {_allowed(schema)} "
            f"| {schema['description']} |"
        )
    lines += [
        f"| `{name}` | | | {meaning} |"
        for name, meaning in NAMES_READ_ELSEWHERE.items()
    ]
    return "\n".join(lines)


def _shown(default: object) -> str:
    if default is None:
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _allowed(schema: Mapping[str, object]) -> str:
    if "allowed" in schema:
        return str(schema["allowed"])
    if "minimum" in schema:
        return f"{schema['minimum']} to {schema['maximum']}"
    if "minLength" in schema:
        return f"{schema['minLength']} to {schema['maxLength']} characters"
    choices = schema.get("enum", [schema.get("const")])
    return ", ".join(f"`{choice}`" for choice in choices)  # type: ignore[attr-defined]

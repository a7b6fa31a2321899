"""Variables that a run on an MLflow server needs; see also tests/production."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from credit_scoring.errors import SettingsError
from credit_scoring.registry.signing import (
    SIGNING_KEY_FILE,
    TRUSTED_KEYS_DIR,
    load_signer,
    public_pem,
)
from credit_scoring.registry.tracking_server import require_tracking_server
from credit_scoring.serving.local_server import HOST, free_port

COMPLETE = {
    "MLFLOW_TRACKING_URI": "https://localhost/mlflow",
    "CREDIT_SCORING_SIGNING_KEY_FILE": "signing.pem",
    "CREDIT_SCORING_TRUSTED_KEYS_DIR": ".",
    "CREDIT_SCORING_ACTOR": "somebody",
}


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        require_tracking_server({"CREDIT_SCORING_ACTOR": ""}, "any")
    assert all(name in str(caught.value) for name in COMPLETE)


@pytest.mark.parametrize("name", COMPLETE)
def test_each_variable_is_needed(name: str) -> None:
    others = {key: value for key, value in COMPLETE.items() if key != name}
    with pytest.raises(SettingsError, match=rf"not set .*\n  {name}: ") as caught:
        require_tracking_server(others, "any")
    assert "localhost" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("postgresql://host/db", "must be an http or https address"),
        ("sqlite:///mlflow.db", "must be an http or https address"),
        ("https:///mlflow", "must be an http or https address"),
        ("https://me:secret@localhost/mlflow", "must hold no credentials"),
    ],
)
def test_an_address_is_of_a_server_and_holds_no_credentials(
    uri: str, reason: str
) -> None:
    with pytest.raises(SettingsError, match=reason) as caught:
        require_tracking_server({**COMPLETE, "MLFLOW_TRACKING_URI": uri}, "any")
    assert "secret" not in str(caught.value)


def test_keys_are_read_before_the_server_is_asked(tmp_path: Path) -> None:
    missing = {**COMPLETE, "CREDIT_SCORING_TRUSTED_KEYS_DIR": str(tmp_path / "none")}
    with pytest.raises(SettingsError, match="CREDIT_SCORING_TRUSTED_KEYS_DIR is not"):
        require_tracking_server(missing, "any")
    unreadable = {**COMPLETE, "CREDIT_SCORING_TRUSTED_KEYS_DIR": str(tmp_path)}
    with pytest.raises(SettingsError, match="SIGNING_KEY_FILE: cannot be read"):
        require_tracking_server(unreadable, "any")


@pytest.fixture
def keys(signing_key: Path, tmp_path: Path) -> dict[str, str]:
    """Variables that name a key, and the folder in which it is trusted."""
    named = {SIGNING_KEY_FILE: str(signing_key)}
    public = load_signer(named, tmp_path).public_key
    (tmp_path / "trusted.pem").write_bytes(public_pem(public))
    return {**named, TRUSTED_KEYS_DIR: str(tmp_path)}


@pytest.fixture
def served() -> Iterator[Callable[[dict[str, tuple[int, str]]], str]]:
    """A server that says what the real ones were seen to say: path -> answer."""
    with ThreadingHTTPServer((HOST, free_port()), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()

        def say(answers: dict[str, tuple[int, str]]) -> str:
            class Handler(BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    status, location = answers[self.path.partition("?")[0]]
                    said = {"experiment": {"artifact_location": location}}
                    self.send_response(status)
                    self.end_headers()
                    self.wfile.write(json.dumps(said).encode())

                def log_message(self, *words: object) -> None:
                    """Say nothing."""

            server.RequestHandlerClass = Handler
            return f"http://{HOST}:{server.server_port}"

        yield say
        server.shutdown()


BY_NAME = "/api/2.0/mlflow/experiments/get-by-name"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({BY_NAME: (401, "")}, "refuses with 401: set MLFLOW_TRACKING_TOKEN"),
        ({BY_NAME: (403, "")}, "refuses with 403"),
        (
            {BY_NAME: (200, "mlflow-artifacts:/1"), ARTIFACTS: (401, "")},
            "cannot read its store of artifacts: it answers 401",
        ),
        ({BY_NAME: (200, "/mlruns/1")}, "in a folder, which is not shared"),
        ({BY_NAME: (200, "s3://bucket/1")}, "not set in the environment: AWS_ACCESS"),
    ],
)
def test_what_the_server_says_is_told_with_what_to_do(
    served: Callable[[dict[str, tuple[int, str]]], str],
    keys: dict[str, str],
    answers: dict[str, tuple[int, str]],
    reason: str,
) -> None:
    environment = {
        **COMPLETE,
        **keys,
        "MLFLOW_TRACKING_URI": served(answers),
    }
    with pytest.raises(SettingsError, match=reason):
        require_tracking_server(environment, "any")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        (f"http://{HOST}:{free_port()}", "bucket 'bucket' of the artifacts cannot"),
        ("not an address", "MLFLOW_S3_ENDPOINT_URL is no address"),
    ],
    ids=["nobody listens", "no address"],
)
def test_a_store_that_is_not_there_is_told(
    served: Callable[[dict[str, tuple[int, str]]], str],
    keys: dict[str, str],
    address: str,
    reason: str,
) -> None:
    environment = {
        **COMPLETE,
        **keys,
        "MLFLOW_TRACKING_URI": served({BY_NAME: (200, "s3://bucket/1")}),
        "MLFLOW_S3_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
    }
    with pytest.raises(SettingsError, match=reason):
        require_tracking_server(environment, "any")

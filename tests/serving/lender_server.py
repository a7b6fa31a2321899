"""The small lender's service with its decision log, as a process of its own.

``lender_server.py FOLDER PORT [fsync]``
"""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from prometheus_client import CollectorRegistry

from credit_scoring.contract.model import Contract
from credit_scoring.contract.request import RequestDecoder
from credit_scoring.serving.answers import ModelAnswer
from credit_scoring.serving.app import FrontDoor
from credit_scoring.serving.assembly import Models, decision_recorder, scoring_app
from credit_scoring.serving.local_server import HOST
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.recording import LogRecorder
from credit_scoring.serving.recording_metrics import LogMetrics
from credit_scoring.serving.runners import InProcessRunner
from credit_scoring.serving.settings import Settings


def small_lender() -> Any:
    path = Path(__file__).with_name("conftest.py")
    spec = importlib.util.spec_from_file_location("small_lender", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Lifespan:
    """Closes the segment when the server stops."""

    def __init__(self, recorder: LogRecorder) -> None:
        self.recorder = recorder

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                self.recorder.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


def main(folder: str, port: str, *options: str) -> None:
    lender = small_lender()
    contract = Contract.model_validate(lender.CONTRACT)
    decoder = RequestDecoder(contract)
    model = ModelAnswer("credit_scoring", "7", "champion", "d" * 64)
    runner = InProcessRunner(engine=lender.small_engine(), decoder=decoder, model=model)
    runner.engine.warm_up({name: np.array([1.0, 2.0]) for name in contract.input_names})
    models = Models(contract, decoder, runner, None)
    registry = CollectorRegistry()
    settings = Settings(decision_log_dir=folder, decision_log_fsync="fsync" in options)
    recorder = decision_recorder(models, settings, LogMetrics(registry))
    app = scoring_app(models, settings, ServiceMetrics(registry), recorder=recorder)
    front = FrontDoor(lambda: app, behind=Lifespan(recorder), paths_behind={})
    uvicorn.run(front, host=HOST, port=int(port), log_level="error", lifespan="on")


if __name__ == "__main__":
    main(*sys.argv[1:])

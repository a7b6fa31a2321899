"""The store and the small artifact of the registry's tests, and its two models."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

TESTS = Path(__file__).parents[2]


def _fixtures_of(name: str) -> ModuleType:
    path = TESTS / name / "conftest.py"
    spec = spec_from_file_location(f"fixtures_of_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_registry, _challenge = _fixtures_of("registry"), _fixtures_of("challenge")

applications = _registry.applications
contents = _registry.contents
contract = _registry.contract
empty_store = _registry.empty_store
engine = _registry.engine
feature_set = _registry.feature_set
uncertainty = _registry.uncertainty
linear_family = _registry.linear_family
mlflow_store = _registry.mlflow_store
policy = _registry.policy
signing_key = _registry.signing_key
gates = _challenge.gates
parameters = _challenge.parameters
shadowed = _challenge.shadowed

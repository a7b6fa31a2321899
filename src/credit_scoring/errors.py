"""The errors of the platform: one base, one class for each boundary.

Messages say what is wrong, how often, where, and what was expected. They never
hold applicant data: not a value of a row, not a `loan_id`.
"""

from dataclasses import dataclass


class CreditScoringError(Exception):
    """Anything the platform refuses, with a message a person can act on."""


class ContractError(CreditScoringError, ValueError):
    """The contract itself, or a file read under it, is not as it must be."""


class FeatureError(CreditScoringError, ValueError):
    """A feature is defined wrongly, or lacks a column that it needs."""


class TrainingError(CreditScoringError, ValueError):
    """A candidate cannot be fitted on the data it was given."""


class EvaluationError(CreditScoringError, ValueError):
    """A measure is not defined for the data it was given."""


class InvalidProbabilityError(CreditScoringError, ValueError):
    """A probability of default is NaN or not in (0, 1)."""


class PolicyError(CreditScoringError, ValueError):
    """A policy contradicts itself or names something that does not exist."""


class ArtifactError(CreditScoringError, ValueError):
    """A model artifact is incomplete, altered, or made for other code."""


class PromotionError(CreditScoringError, RuntimeError):
    """The registry is in a state from which promotion cannot go on."""


class RollbackRefusedError(PromotionError):
    """A rollback is refused; what is released stays as good as it was."""


class RunError(CreditScoringError, RuntimeError):
    """A run cannot start from what is there."""


class FeatureStoreError(CreditScoringError, RuntimeError):
    """The store of histories cannot be used, or not for what was asked."""


class StoredValueError(CreditScoringError, ValueError):
    """A value in the store of histories cannot be read.

    Attributes:
        kind: One word for what is wrong with it, as metrics name it.
    """

    kind = "unreadable"


class SettingsError(CreditScoringError, ValueError):
    """An environment setting is unknown or has a value that is not allowed."""


class DecisionLogError(CreditScoringError, RuntimeError):
    """The decision log cannot be written or read; nothing is decided unrecorded."""


class ReplayError(CreditScoringError, RuntimeError):
    """Logged decisions are not decided again as they were, or were changed."""


class OutcomeError(CreditScoringError, ValueError):
    """Outcomes cannot be kept or read."""


class ChallengeError(CreditScoringError, ValueError):
    """Champion and challenger cannot be compared on outcomes."""


class SimulationError(CreditScoringError, RuntimeError):
    """A simulated year cannot go on."""


class RoutingStateError(CreditScoringError, RuntimeError):
    """The state of routing cannot be read, written or believed."""


class MonitoringError(CreditScoringError, RuntimeError):
    """A window of decisions cannot be monitored; it is never taken for well."""


class BatchError(CreditScoringError, RuntimeError):
    """A file of applications cannot be scored as was asked; nothing is lost."""


class ClusterError(CreditScoringError, RuntimeError):
    """A cluster cannot be reached, or does not do what it is asked to."""


class BenchmarkDataError(CreditScoringError, ValueError):
    """Benchmark data cannot be made as was asked."""


class BatchTooLongError(CreditScoringError, ValueError):
    """A batch has more requests than one may have."""


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field of a request; never the field's value."""

    field: str
    message: str


class InvalidRequestError(CreditScoringError, ValueError):
    """A request that breaks the contract, with one entry for each field."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        """Say what is wrong with each field."""
        super().__init__("; ".join(f"{e.field}: {e.message}" for e in errors[:8]))
        self.errors = errors

"""Nodes of the batch scoring pipeline."""

import contextlib
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from credit_scoring.batch.models import load_released
from credit_scoring.batch.running import BatchRequest, Elsewhere, prepare, run_batch
from credit_scoring.cluster import ClusterParameters, connected
from credit_scoring.datasets.progress import row_progress
from credit_scoring.errors import BatchError
from credit_scoring.pipelines.batch_scoring.parameters import BatchScoringParameters

logger = logging.getLogger(__name__)


def score_files(
    service_models: Mapping[str, str | None],
    decision_log: Path,
    source: str | None,
    output: str,
    parameters: BatchScoringParameters,
) -> dict[str, Any]:
    """Score files with the models of the release, and put them out whole.

    Args:
        service_models: Role -> exact tag in BentoML's store.
        decision_log: Folder of the decision log.
        source: Path or URL of a file or folder.
        output: Folder that appears when all is done.
        parameters: How.

    Returns:
        The summary.

    Raises:
        BatchError: If something stands in the way; what is finished is kept.
        ArtifactError: If a model is not what it was when made.
        DecisionLogError: If the decision log cannot be written.
        ClusterError: If there is to be a cluster, and none can be had.
    """
    if source is None:
        raise BatchError(
            "name what is to be scored: --params input=PATH,output=FOLDER; PATH is a "
            "Parquet or CSV file, a folder of them, or s3://..."
        )
    if not parameters.decision_log:
        logger.warning("these decisions are not put into the decision log, as asked")
    request = BatchRequest(
        source=source,
        output=Path(output),
        reasons=parameters.reasons,
        scored_at=parameters.scored_at,
        log_folder=decision_log if parameters.decision_log else None,
        chunk_rows=parameters.chunk_rows,
        threads=parameters.threads,
    )
    models = load_released(service_models, split=parameters.split)
    prepared = prepare(request, models)
    with (
        _workers(parameters.cluster) as elsewhere,
        row_progress("Scoring", prepared.rows) as progress,
    ):
        summary = run_batch(prepared, progress, elsewhere)
    if summary["rejected"]:
        logger.warning(
            "%d of %d rows are rejected; %s has each with its reason",
            summary["rejected"],
            summary["rows"],
            Path(output) / "rejected",
        )
    if summary["repeated_loan_ids"]:
        logger.warning(
            "%d decisions are on loan ids that stand in the input more than once; each "
            "row is decided by itself",
            summary["repeated_loan_ids"],
        )
    return {**summary, "output": output}


@contextlib.contextmanager
def _workers(cluster: ClusterParameters | None) -> Iterator[Elsewhere | None]:
    """Connect to the cluster, if there is to be one."""
    if cluster is None:
        yield None
        return
    with connected(cluster) as client:
        from credit_scoring.batch.clustered import on_cluster

        yield on_cluster(client, cluster)

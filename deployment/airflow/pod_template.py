"""Make the template of the pods in which Airflow runs pipelines, of the CronJobs'.

usage: kubectl kustomize OVERLAY | python pod_template.py > pod.yaml

So the pods are those of the manifests: images, volumes, limits, and who they are.
"""

import sys
from collections.abc import Iterable
from typing import Any

import yaml

Manifest = dict[str, Any]


def template_of(manifests: Iterable[Manifest]) -> Manifest:
    """Give the pod of the CronJob that scores batches, which may do what any may.

    Args:
        manifests: All that a place is made of.

    Raises:
        ValueError: If there is no such CronJob, or it is there twice.
    """
    jobs = [
        one
        for one in manifests
        if one["kind"] == "CronJob" and one["metadata"]["name"] == "batch-scoring"
    ]
    if len(jobs) != 1:
        raise ValueError(f"{len(jobs)} CronJobs are named batch-scoring, not one")
    pod = jobs[0]["spec"]["jobTemplate"]["spec"]["template"]
    for container in pod["spec"]["containers"]:
        # What is run, and for which day, Airflow says.
        container.pop("command")
        container.pop("args", None)
        container["env"] = [one for one in container["env"] if one["name"] != "JOB"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "credit-scoring-pipeline",
            "namespace": jobs[0]["metadata"]["namespace"],
            "labels": pod["metadata"]["labels"],
        },
        "spec": pod["spec"],
    }


def main() -> None:
    """Read manifests, and print the template."""
    manifests = [one for one in yaml.safe_load_all(sys.stdin) if one]
    yaml.safe_dump(template_of(manifests), sys.stdout, sort_keys=False)


if __name__ == "__main__":
    main()

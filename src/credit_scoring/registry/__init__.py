"""Where models are kept: the artifact, MLflow's registry, BentoML's store."""

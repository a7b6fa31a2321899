"""The Kedro pipelines, one folder each."""

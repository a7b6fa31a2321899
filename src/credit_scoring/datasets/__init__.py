"""Dataset classes of the Kedro catalog that no library offers."""

"""The databases of the stack's PostgreSQL, made in a real one by the stack's script."""

import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

SCRIPT = Path(__file__).parents[2] / "deployment" / "compose" / "postgres"


def make_databases(server: str, **passwords: str) -> None:
    """Run the script against a server.

    Args:
        server: Address of it, with who may do everything.
        passwords: As the container has them, e.g. ``MLFLOW_DB_PASSWORD``.
    """
    known = urlsplit(server)
    environment = {
        "PATH": os.environ["PATH"],
        "PGHOST": str(known.hostname),
        "PGPORT": str(known.port),
        "PGPASSWORD": str(known.password),
        **passwords,
    }
    subprocess.run(["sh", SCRIPT / "databases.sh"], env=environment, check=True)


def address_of(server: str, owner: str, password: str, database: str = "") -> str:
    """Give the address of a user's database, their own if no other is named."""
    known = urlsplit(server)
    place = f"{known.hostname}:{known.port}/{database or owner}"
    return f"postgresql://{owner}:{password}@{place}"

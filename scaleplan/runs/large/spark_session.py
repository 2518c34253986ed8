"""A session of Spark: the one that is there, or one of its own on this machine.

Where Spark runs is a setting of its own (`spark-defaults.conf`, PYSPARK_SUBMIT_ARGS or
`spark-submit`); without one it is this machine.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scaleplan.errors import InputError
from scaleplan.runs.text import clean_text

# What a session of our own gets; a cluster's own settings count before these.
_SETTINGS = {
    "spark.app.name": "scaleplan",
    "spark.driver.memory": "1g",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}


@contextmanager
def spark_session() -> Iterator[tuple[Any, Any]]:
    """Give a session of Spark and Ibis' connection to it; one that was started here is stopped.

    Raises:
        InputError: If Spark or Java is missing, or the session cannot be started.
    """
    with warnings.catch_warnings():
        # Spark warns of versions of pandas, which is not used here.
        warnings.simplefilter("ignore", FutureWarning)
        try:
            import ibis
            import ibis.backends.pyspark  # that it is there
            from pyspark.sql import SparkSession
        except ImportError:
            raise InputError(
                "Spark needs pyspark and ibis' back end for it, which are not all installed",
                hint="pip install 'scaleplan[spark]'",
            ) from None
        session = SparkSession.getActiveSession()
        owned = session is None
        if session is None:
            require_java()
            session = _started(SparkSession)
        try:
            yield session, ibis.pyspark.connect(session)
        finally:
            if owned:
                session.stop()


def require_java() -> None:
    """Refuse to start Spark without Java.

    Raises:
        InputError: If there is no Java.
    """
    home = os.environ.get("JAVA_HOME")
    found = Path(home, "bin", "java").exists() if home else shutil.which("java") is not None
    if not found:
        where = f"JAVA_HOME is {clean_text(home)}, which has none" if home else "none was found"
        raise InputError(
            f"Spark needs Java 17 or later, and {where}",
            hint="Install Java (Debian: apt-get install openjdk-17-jre-headless), then "
            "pip install 'scaleplan[spark]'.",
        )  # fmt: skip


def _started(kind: Any) -> Any:  # noqa: ANN401 - pyspark's own class
    builder = kind.builder
    for name, value in _SETTINGS.items():
        builder = builder.config(name, value)
    with tempfile.TemporaryFile() as log:
        try:
            with _standard_error_to(log.fileno()):
                return builder.getOrCreate()
        except Exception as error:  # noqa: BLE001 - Spark has no one class for what stops its start
            log.seek(0)
            said = log.read().decode("utf-8", errors="replace").strip().splitlines()
            reason = clean_text(said[-1] if said else str(error))[:200]
            raise InputError(
                f"Spark cannot be started: {reason}",
                hint="Check its settings and the version of Java (17 or later).",
            ) from None


@contextmanager
def _standard_error_to(target: int) -> Iterator[None]:
    """Send what programs started meanwhile write to standard error elsewhere.

    Java inherits it, and reports its settings there whatever the level of logging.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        os.dup2(target, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)

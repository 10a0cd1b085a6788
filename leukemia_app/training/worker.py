"""The process of one run: `python -m leukemia_app.training.worker RUN_DIR`."""

import logging
import os
import sys
from pathlib import Path

from leukemia_app.errors import AppError
from leukemia_app.training.run_folder import RunFolder, Stopped

log = logging.getLogger(__name__)

ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    # Resuming must end with the weights of an uninterrupted run.
    "TF_DETERMINISTIC_OPS": "1",
}


def main(arguments: list[str]) -> int:
    """Carry out the run in the folder named; 0 done, 1 stopped, 2 failed."""
    folder = RunFolder(path=Path(arguments[0]))
    logging.basicConfig(filename=folder.path / "log.txt", level=logging.INFO)
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        # Keras reads its environment when it is imported.
        from leukemia_app.training.run import carry_out

        carry_out(folder)
    except Stopped:
        folder.set_state("stopped")
        return 1
    except AppError as error:
        folder.set_state("failed", reason=str(error))
        return 2
    except Exception as error:
        log.exception("the run broke")
        folder.set_state("failed", reason=_in_words(error))
        return 2
    return 0


def _in_words(error: Exception) -> str:
    """What to tell of an error that no room foresaw."""
    if isinstance(error, OSError):
        where = f"{error.filename} cannot" if error.filename else "A file of the run cannot"
        return (
            f"{where} be read or written ({error.strerror or error}). Mend that, or make room on "
            "the disk, then start the run again: it goes on from the last epoch."
        )
    if isinstance(error, MemoryError):
        return (
            "The machine has too little memory for the run. Use a smaller batch_size, "
            "feature_copies or side_px in a new run."
        )
    return f"The run broke: {error} (log.txt says where)."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

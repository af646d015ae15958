"""``allotment.example``: a notebook to begin with, written into a folder of one's own."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from allotment.notebook.problems import DataProblem

NAME = "allotment-example"


def write_example(folder: Path) -> Path:
    """Write the example notebook under a name that is free; nothing is overwritten.

    Raises:
        DataProblem: the folder cannot be written to.
    """
    content = files("allotment.notebook").joinpath("examples", "data.ipynb").read_bytes()
    number = 1
    while True:
        place = folder / (f"{NAME}.ipynb" if number == 1 else f"{NAME}-{number}.ipynb")
        try:
            with place.open("xb") as stream:
                stream.write(content)
        except FileExistsError:
            number += 1
        except OSError as error:
            message = (
                f"The example cannot be written to {folder}: {error.strerror}. Name another folder."
            )
            raise DataProblem(message) from None
        else:
            return place

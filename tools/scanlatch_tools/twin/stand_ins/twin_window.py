# A part of a file as if it were a file of its own: a bare board's partition `scanlog` in the file of its whole flash.
from twin_trace import FOLDER


class Window:
    def __init__(self, path, at):
        self.file = open(FOLDER + "/" + path, "r+b", 0)
        self.at = at
        self.readinto = self.file.readinto
        self.write = self.file.write

    def seek(self, at):
        self.file.seek(self.at + at)


def opened(flash, told):
    """Give `flash` its streams as `told` in twin.json."""
    flash.cells = Window(told["flash"], told["at"])
    flash.touched = Window(told["flash"] + ".touched", told["at"])
    return flash

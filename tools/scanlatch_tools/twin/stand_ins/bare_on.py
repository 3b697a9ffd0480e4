# What a chip does at power on that has nothing but a file system: the twin's folder `files` is its root, then boot.py,
# main.py and the console. The rest of the twin's folder is at /.twin, for the stand-ins alone.
import os
import sys

import micropython
import vfs


def __getattr__(name):
    # This module stands for `micropython` too, as power_on does.
    return int if name == "alloc_emergency_exception_buf" else getattr(micropython, name)


def run(name):
    try:
        with open("/" + name) as file:
            code = compile(file.read(), name, "exec")
    except OSError:
        return
    exec(code, {"__name__": "__main__", "__file__": name})


def start():
    folder = os.getenv("SCANLATCH_BARE")
    vfs.umount("/")
    vfs.mount(vfs.VfsPosix(folder + "/files"), "/")
    vfs.mount(vfs.VfsPosix(folder), "/.twin")
    os.chdir("/")
    sys.path[:] = ["/.twin/stand_ins", "", ".frozen", "/lib"]
    sys.modules["micropython"] = sys.modules["bare_on"]
    import bare_sys
    import machine
    from twin_trace import line

    sys.modules["sys"] = bare_sys
    machine.unique_id = lambda: bytes.fromhex(os.getenv("SCANLATCH_BARE_MAC"))

    line("start", cause=int(os.getenv("SCANLATCH_TWIN_CAUSE") or 1))
    try:
        run("boot.py")
        if not os.getenv("SCANLATCH_BARE_RAW"):
            run("main.py")
    except SystemExit:
        raise
    except BaseException as error:  # then the console, as on the chip
        sys.print_exception(error)
        line("fallen", error=repr(error))


start()

"""Runs the real gcloud for many callers, and loads it once.

A run of gcloud is some 0.7 s of loading Python modules and some 0.08 s of work.
Here a run is a copy (fork) of a process that has them loaded. It has the caller's
arguments, environment, folder, standard input and outputs, and ends when the caller
does; only its start differs from a run that somebody types.

    server.py SDK_ROOT SOCKET

Standard input is open for as long as the server is wanted.
"""

import array
import atexit
import contextlib
import gc
import importlib
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import threading
import traceback
import uuid

SDK_ROOT, SOCKET = sys.argv[1:3]
# As the SDK's own lib/gcloud.py has it.
LIB = os.path.join(SDK_ROOT, "lib")
sys.path[:0] = [os.path.join(LIB, "third_party"), LIB]

from googlecloudsdk import gcloud_main  # noqa: E402
from googlecloudsdk.core import transport  # noqa: E402


def receive(caller):
    """What the caller wants: a line of JSON, with its three standard streams."""
    line, extra, _, _ = caller.recvmsg(1 << 16, socket.CMSG_SPACE(3 * 4))
    while not line.endswith(b"\n"):
        more = caller.recv(1 << 16)
        if not more:
            os._exit(1)
        line += more
    streams = array.array("i")
    streams.frombytes(extra[0][2])
    return json.loads(line), streams


def gcloud(wanted, streams, loaded_meanwhile):
    """One run, in a process of its own, which this ends."""
    for standard, given in enumerate(streams):
        os.dup2(given, standard)
        os.close(given)
    os.environ.clear()
    os.environ.update(wanted["environment"])
    os.chdir(wanted["folder"])
    sys.argv = ["gcloud"] + wanted["arguments"]
    # Made when it is loaded: each run says another one to the servers.
    transport.INVOCATION_ID = uuid.uuid4().hex
    before = set(sys.modules)
    status = 0
    try:
        gcloud_main.main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    names = set(sys.modules) - before
    os.write(loaded_meanwhile, "".join(f"{name}\n" for name in names).encode())
    os._exit(status)


def serve(caller, loaded_meanwhile):
    """A run for one caller, which is killed when the caller is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    wanted, streams = receive(caller)
    run = os.fork()
    if run == 0:
        caller.close()
        os.setpgid(0, 0)
        gcloud(wanted, streams, loaded_meanwhile)

    def kill_if_gone():
        if not caller.recv(1):
            os.kill(run, signal.SIGKILL)

    threading.Thread(target=kill_if_gone, daemon=True).start()
    for stream in streams:
        os.close(stream)
    _, status = os.waitpid(run, 0)
    # The caller may be gone.
    with contextlib.suppress(BrokenPipeError):
        caller.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def load(names):
    """Loads what a run had to load, so that the next one finds it."""
    for name in names:
        # Some can be loaded in their own way only; then each run does that.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.freeze()


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(SOCKET)
    listener.listen(64)
    to_load, loaded_meanwhile = os.pipe()
    events = selectors.DefaultSelector()
    for one in (listener, to_load, sys.stdin):
        events.register(one, selectors.EVENT_READ)
    gc.freeze()
    print("ready", flush=True)
    names = b""
    while True:
        for event, _ in events.select():
            if event.fileobj is sys.stdin:
                shutil.rmtree(os.path.dirname(SOCKET), ignore_errors=True)
                return
            if event.fileobj is to_load:
                names += os.read(to_load, 1 << 16)
                whole, _, names = names.rpartition(b"\n")
                load(whole.decode().split())
            else:
                caller, _ = listener.accept()
                if os.fork() == 0:
                    listener.close()
                    serve(caller, loaded_meanwhile)
                caller.close()


main()

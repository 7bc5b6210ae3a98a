"""Runs the real gcloud for many callers, and loads it once.

A run of gcloud is some 0.7 s of loading Python modules, some 0.05 s of making parsers, and
as much of work.
Here a run is a copy (fork) of a process that has them loaded, and that has made the
parsers of the commands which were run before: gcloud's own main takes them. It has the
caller's arguments, environment, folder, standard input and outputs, and ends when the
caller does; only its start differs from a run that somebody types.

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
from googlecloudsdk.core import config, log, transport  # noqa: E402
from googlecloudsdk.core.configurations import named_configs  # noqa: E402


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


def elements(group):
    """The groups and commands that are loaded, each by its path."""
    for element in (*group.groups.values(), *group.commands.values()):
        yield tuple(element.GetPath()[1:])
        if hasattr(element, "groups"):
            yield from elements(element)


def gcloud(cli, wanted, streams):
    """One run, in a process of its own. Gives its exit code, and what it had to load."""
    for standard, given in enumerate(streams):
        os.dup2(given, standard)
        os.close(given)
    os.environ.clear()
    os.environ.update(wanted["environment"])
    os.chdir(wanted["folder"])
    sys.argv = ["gcloud"] + wanted["arguments"]
    # What is made once in a process: each run says another word to the servers, and has
    # its own configuration and a log of its own.
    transport.INVOCATION_ID = uuid.uuid4().hex
    named_configs.ActivePropertiesFile.Invalidate()
    log.AddFileLogging(config.Paths().logs_dir)
    modules, commands = set(sys.modules), set(elements(cli.top_element))
    status = 0
    try:
        gcloud_main.main(cli)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    loaded = [f"module {name}\n" for name in set(sys.modules) - modules]
    made = set(elements(cli.top_element)) - commands
    loaded += ["command " + " ".join(path) + "\n" for path in sorted(made)]
    return status, loaded


def serve(cli, caller, loaded_meanwhile):
    """A run for one caller, in a process that is killed when the caller is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setpgid(0, 0)
    wanted, streams = receive(caller)

    def kill_if_gone():
        if not caller.recv(1):
            os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=kill_if_gone, daemon=True).start()
    status = 1
    try:
        status, loaded = gcloud(cli, wanted, streams)
        for line in loaded:
            # Each at once, lest those of two runs get mixed up.
            os.write(loaded_meanwhile, line.encode())
    finally:
        # The caller may be gone.
        with contextlib.suppress(BrokenPipeError):
            caller.sendall(b"%d\n" % (status & 0xFF))
        os._exit(0)


def load(cli, lines):
    """Loads what a run had to load, so that the next one finds it."""
    for line in lines:
        # Some can be loaded in their own way only; then each run does that.
        with contextlib.suppress(Exception, SystemExit):
            kind, *names = line.split()
            if kind == "module":
                importlib.import_module(*names)
            else:
                element = cli.top_element
                for name in names:
                    element = element.LoadSubElement(name)
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
    # Each run has its own log.
    os.environ["CLOUDSDK_CORE_DISABLE_FILE_LOGGING"] = "true"
    cli = gcloud_main.CreateCLI([])
    gc.freeze()
    print("ready", flush=True)
    lines = b""
    while True:
        for event, _ in events.select():
            if event.fileobj is sys.stdin:
                shutil.rmtree(os.path.dirname(SOCKET), ignore_errors=True)
                return
            if event.fileobj is to_load:
                lines += os.read(to_load, 1 << 16)
                whole, _, lines = lines.rpartition(b"\n")
                load(cli, whole.decode().splitlines())
            else:
                caller, _ = listener.accept()
                if os.fork() == 0:
                    listener.close()
                    serve(cli, caller, loaded_meanwhile)
                caller.close()


main()

"""Serves MongoDB's protocol: HOST PORT FOLDER [NAME=VALUE ...]"""

import ast
import signal
import sys
import threading

from secantus import SecantusDBServer

host, port, folder = sys.argv[1:4]
settings = (argument.split("=", 1) for argument in sys.argv[4:])
settings = {name: ast.literal_eval(value) for name, value in settings}

ended = threading.Event()
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: ended.set())

server = SecantusDBServer(host=host, port=int(port), storage_path=folder, **settings)
server.start()
ended.wait()
server.stop()

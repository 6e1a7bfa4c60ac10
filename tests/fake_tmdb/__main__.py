"""How is the fake started as a process? ``python -m tests.fake_tmdb`` says where it answers."""

import argparse
import sys

from tests.fake_tmdb import Films
from tests.fake_tmdb.server import FakeTmdb

parser = argparse.ArgumentParser(prog="python -m tests.fake_tmdb", description=__doc__)
parser.add_argument("--port", type=int, default=0, help="0: any that is free")
parser.add_argument("--per-second", type=int, default=40, help="requests that are allowed")
parser.add_argument("--films", type=int, help="so many of the demo catalogue; all if not given")
arguments = parser.parse_args()
films = Films.of_catalogue(arguments.films)
with FakeTmdb(films, port=arguments.port, per_second=arguments.per_second) as server:
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    server.daemon_threads = True
    server.serve_forever()

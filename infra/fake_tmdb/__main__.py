"""Command line of the fake TMDb server: prints the API's base URL, then serves."""

import argparse
import sys

from infra.fake_tmdb import FilmCatalogue
from infra.fake_tmdb.server import FakeTmdb

parser = argparse.ArgumentParser(prog="python -m infra.fake_tmdb", description=__doc__)
parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
parser.add_argument("--per-second", type=int, default=40, help="requests allowed per second")
parser.add_argument(
    "--films", type=int, help="number of films of the demo catalogue (default: all)"
)
arguments = parser.parse_args()
films = FilmCatalogue.of_demo_catalogue(arguments.films)
with FakeTmdb(films, port=arguments.port, per_second=arguments.per_second) as server:
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    server.daemon_threads = True
    server.serve_forever()

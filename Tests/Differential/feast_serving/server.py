"""A Larder that is served, and its commands."""

import json
import re
import subprocess
import time
from datetime import datetime

import requests


class Larder:
    def __init__(self, binary, directory):
        self.binary, self.directory = binary, directory

    def run(self, *arguments, text=None):
        subprocess.run([self.binary, *arguments], check=True, input=text, text=True, stdout=subprocess.DEVNULL)

    def define(self, documents):
        folder = self.directory / "feature-defs"
        folder.mkdir()
        # JSON is YAML.
        (folder / "shop.yaml").write_text("\n---\n".join(json.dumps(document) for document in documents))
        self.run("migrate")
        self.run("apply", str(folder), "--yes")

    def ingest(self, view, rows):
        lines = [json.dumps({name: plain(value) for name, value in row.items()}) for row in rows]
        self.run("ingest", view.source, "-", "--format", "ndjson", text="\n".join(lines))


class Server:
    """`larder serve` on a port of its own; as a context it ends with the block."""

    def __init__(self, binary, directory):
        self.log = directory / "server.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen([binary, "serve", "--port", "0"], stdout=log, stderr=log)

    def __enter__(self):
        for _ in range(400):
            found = re.search(r"address=(http:[^ \n]+)", self.log.read_text())
            if found:
                self.address = found[1]
                return self
            time.sleep(0.025)
        self.stop()
        raise SystemExit(f"error: the server does not listen:\n{self.log.read_text()}")

    def __exit__(self, kind, *_):
        status = self.stop()
        if kind is not None:
            print(self.log.read_text()[-4_000:])
        elif status != 0:
            raise SystemExit(f"error: the server ended with {status}:\n{self.log.read_text()[-4_000:]}")

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=60)

    def post(self, path, body):
        """As the examples of Feast's documentation do it: without saying that the body is JSON."""
        return requests.post(self.address + path, data=json.dumps(body), timeout=120)


def plain(value):
    return value.isoformat() if isinstance(value, datetime) else value

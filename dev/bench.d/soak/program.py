"""Larder as a program: its commands, its server, and one connection to that."""

import contextlib
import http.client
import json
import re
import subprocess

from client import Client
from processes import stop, wait_until

COMMAND_SECONDS = 120
REQUEST_SECONDS = 30


class Failed(Exception):
    """A command or a request did not do what it was asked to."""

    def __init__(self, code, text, status=0):
        super().__init__(f"{code}: {text}")
        self.code, self.status = code, status

    @property
    def is_refusal(self):
        """Whether asking again would be answered alike."""
        return 400 <= self.status < 500

    @classmethod
    def of_problem(cls, text, status=0):
        """Of a problem document, which lines of progress may precede."""
        try:
            problem = json.loads(text[text.index("{"):])
            return cls(problem["code"], problem.get("detail", ""), status or problem.get("status", 0))
        except (ValueError, KeyError, AttributeError):
            return cls(str(status or "no_problem_document"), text[-500:], status)


class Connection:
    """One connection to the server, made again after it broke. Nothing is sent twice."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=REQUEST_SECONDS)

    def request(self, method, path, body=None):
        """The status and the document of a good answer."""
        text = None if body is None else json.dumps(body)
        try:
            self.connection.request(method, path, text, {"Content-Type": "application/json"} if text else {})
            answer = self.connection.getresponse()
            document = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise Failed(type(error).__name__, str(error)) from error
        if answer.status >= 400:
            raise Failed.of_problem(document, answer.status)
        return answer.status, json.loads(document)


class Larder:
    def __init__(self, binary, directory):
        self.binary, self.directory = binary, directory

    def run(self, *arguments):
        """A command. Returns what it prints, as a document."""
        command = [self.binary, *arguments, "--output", "json"]
        try:
            outcome = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", check=False,
                timeout=COMMAND_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise Failed("timeout", str(error)) from error
        if outcome.returncode != 0:
            raise Failed.of_problem(outcome.stderr)
        return json.loads(outcome.stdout)

    @contextlib.contextmanager
    def serving(self):
        """A server: its process and its port."""
        log = self.directory / "server.log"
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [self.binary, "serve", "--port", "0"], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            wait_until(lambda: _port(log), process, log)
            port = _port(log)
            wait_until(lambda: Client(port).status("/health/ready") == 200, process, log)
            yield process, port
        finally:
            stop(process)


def _port(log):
    found = re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text(errors="replace"))
    return int(found.group(1)) if found else None

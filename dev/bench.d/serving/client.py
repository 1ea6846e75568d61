"""HTTP: one connection for what is checked, and the bytes of a request for what is measured."""

import http.client
import json


class Client:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def status(self, path):
        """Of a GET; none while nobody listens."""
        try:
            self.connection.request("GET", path)
            answer = self.connection.getresponse()
            answer.read()
            return answer.status
        except OSError:
            return None
        finally:
            self.connection.close()

    def post(self, path, body, accept="application/json"):
        """The status and the bytes of the answer."""
        headers = {"Content-Type": "application/json", "Accept": accept}
        self.connection.request("POST", path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()


def request_bytes(path, body, accept="application/json"):
    """A POST of JSON as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: {accept}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n")
    return head.encode() + body


def question(service, users):
    """What to ask for, in the words of Feast's clients, which are Larder's too."""
    return json.dumps({"feature_service": service, "entities": {"user_id": [int(user) for user in users]}}).encode()

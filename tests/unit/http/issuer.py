"""Who signs tokens, for tests: a key of its own, its certificate on a loopback server, tokens as they are asked for."""

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from google.auth import crypt, jwt

AUDIENCE = "https://service.example"
WHO = "pusher@project.iam.example"
ISSUER = "https://accounts.google.com"


class Key:
    """A key and the certificate of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = made.public_bytes(serialization.Encoding.PEM).decode()

    def signs(self, **claims: object) -> str:
        """Return a token that says the usual, and what is given: None leaves a claim out, a span counts from now."""
        now = int(time.time())
        said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "1", "email": WHO, "email_verified": True}
        said |= {"iat": now - 5, "exp": now + 600, **claims}
        text = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        signer = crypt.RSASigner.from_string(text, self.name)  # type: ignore[no-untyped-call]  # no types here
        payload = {
            name: now + round(value.total_seconds()) if isinstance(value, timedelta) else value
            for name, value in said.items()
            if value is not None
        }
        made: bytes = jwt.encode(signer, payload)  # type: ignore[no-untyped-call]  # likewise
        return made.decode()


class Issuer:
    """A server of certificates that counts who asks, and may fail or be slow to answer."""

    def __init__(self, *keys: Key) -> None:
        self.answer: tuple[int, bytes] = (200, b"")
        self.asked = 0
        self.goes_on = Event()
        self.goes_on.set()
        self.publish(*keys)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/certs"

    def publish(self, *keys: Key) -> None:
        self.answer = (200, json.dumps({key.name: key.certificate for key in keys}).encode())

    def close(self) -> None:
        self.goes_on.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                issuer.goes_on.wait()
                status, body = issuer.answer
                self.send_response(status)
                self.send_header("Cache-Control", "public, max-age=3600")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    return  # who asked has gone

            def log_message(self, *_: Any) -> None:  # noqa: ANN401 - the signature of the base
                """Say nothing."""

        return Handler


@contextmanager
def issuing(*keys: Key) -> Iterator[Issuer]:
    issuer = Issuer(*keys)
    try:
        yield issuer
    finally:
        issuer.close()


def unsigned(header: object, payload: object) -> str:
    """Return what is written as a token, and signed by nobody."""
    return ".".join(b64encode(json.dumps(part).encode()).decode() for part in (header, payload, "x"))

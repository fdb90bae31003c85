"""Access tokens: who may ask for one, and which are good right now."""

import base64
import binascii
import threading
import time
import uuid
from pathlib import Path

from messages import Answer, Request, json_answer

PARTNER_USERNAME = "partner@example.se"
PARTNER_PASSWORD = "Hemligt-lösenord+med/tecken=1"


class TokenOffice:
    def __init__(self, credentials: list, ttl_s: float, same_token: bool, secrets_file: Path | None):
        self._credentials = dict(credentials)
        self._ttl_s = ttl_s
        self._same_token = same_token
        self._secrets_file = secrets_file
        self._lock = threading.Lock()
        self._expiry = {}  # access token -> moment it ends
        self._current = {}  # client id -> access token
        self._refresh_tokens = {}  # refresh token -> client id

    def client_credentials(self, request: Request) -> Answer:
        """`POST /token`, by Basic header or by form."""
        form = request.form()
        client = self._client_of(request, form)
        if form.get("grant_type") != "client_credentials":
            return _refused(400, "unsupported_grant_type", "Only client_credentials is known here")
        if client is None:
            return _refused(401, "invalid_client", "Client authentication failed")
        token, expires_in = self._issue(client)
        return _token_answer({"access_token": token, "token_type": "Bearer", "expires_in": expires_in})

    def partner(self, request: Request) -> Answer:
        """`POST /auth/token` of the partner interface: password and refresh_token grants."""
        form = request.form()
        client = self._client_of(request, form)
        if client is None:
            return _refused(401, "invalid_client", "Client authentication failed")
        grant = form.get("grant_type")
        if grant == "password":
            if (form.get("username"), form.get("password")) != (PARTNER_USERNAME, PARTNER_PASSWORD):
                return _refused(401, "invalid_grant", "Unknown user or wrong password")
        elif grant == "refresh_token":
            with self._lock:
                if self._refresh_tokens.pop(form.get("refresh_token"), None) != client:
                    return _refused(401, "invalid_grant", "The refresh token is unknown or used up")
        else:
            return _refused(400, "unsupported_grant_type", "Use password or refresh_token")
        token, expires_in = self._issue(client)
        refresh_token = f"rt.{uuid.uuid4().hex}{uuid.uuid4().hex}"
        with self._lock:
            self._refresh_tokens[refresh_token] = client
        self.note_secret(refresh_token)
        return _token_answer(
            {
                "access_token": token,
                "expires_in": expires_in,
                "refresh_token": refresh_token,
                "scope": "am_application_scope default",
                "token_type": "Bearer",
            }
        )

    def accepts(self, token: str) -> bool:
        with self._lock:
            return self._expiry.get(token, 0) > time.monotonic()

    def expire_all(self) -> None:
        with self._lock:
            self._expiry.clear()
            self._current.clear()

    def note_secret(self, value: str) -> None:
        """Tests look for these values where they must not be."""
        if self._secrets_file is None:
            return
        with self._lock, self._secrets_file.open("a", encoding="utf-8") as file:
            file.write(value + "\n")

    def _issue(self, client: str) -> tuple:
        now = time.monotonic()
        with self._lock:
            token = self._current.get(client)
            if self._same_token and self._expiry.get(token, 0) > now:
                return token, int(self._expiry[token] - now)
            token = str(uuid.uuid4())
            self._current[client] = token
            self._expiry[token] = now + self._ttl_s
        self.note_secret(token)
        return token, int(self._ttl_s)

    def _client_of(self, request: Request, form: dict) -> str | None:
        scheme, _, value = request.header("Authorization").partition(" ")
        if scheme.lower() == "basic":
            try:
                identity, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
        else:
            identity, secret = form.get("client_id", ""), form.get("client_secret", "")
        return identity if identity and self._credentials.get(identity) == secret else None


def _token_answer(value: dict) -> Answer:
    return json_answer(value, headers=[("Cache-Control", "no-store"), ("Pragma", "no-cache")])


def _refused(status: int, error: str, description: str) -> Answer:
    headers = [("WWW-Authenticate", 'Basic realm="roaring"')] if status == 401 else []
    return json_answer({"error": error, "error_description": description}, status, headers)

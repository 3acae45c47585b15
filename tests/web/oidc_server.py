"""A tiny OpenID Connect server on this machine; each sign-in may be spoiled in one way."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "qianmo-desk", "a secret of the office"


class Server:
    """Keys, codes given out, and how the next ID token is spoiled."""

    def __init__(self) -> None:
        self.key, self.other = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
        self.home, self.spoil, self.issuer = "", "", ""
        self.codes: dict[str, dict] = {}
        self.asked: list[str] = []
        self.person = {"sub": "u-1", "preferred_username": "lin", "name": "林晓"}

    def authorise(self, address: str) -> str:
        """What the server does once the person has signed in there: the address the browser is sent back to."""
        q = {k: v[0] for k, v in parse_qs(urlsplit(address).query).items()}
        assert q["response_type"] == "code" and q["client_id"] == CLIENT and q["code_challenge_method"] == "S256" and set(q["scope"].split()) == {"openid", "profile"}
        code = secrets.token_urlsafe(8)
        self.codes[code] = q
        return f"{q['redirect_uri']}?code={code}&state={q['state']}"

    def token(self, form: dict[str, str]) -> dict:
        q = self.codes.pop(form["code"])
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        assert challenge == q["code_challenge"] and form["client_secret"] == SECRET and form["redirect_uri"] == q["redirect_uri"]
        now = int(time.time())
        claims = {"iss": self.home, "sub": self.person["sub"], "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": q["nonce"]}
        change = {
            "nonce": {"nonce": "another"}, "no nonce": {"nonce": None}, "audience": {"aud": "another-client"}, "two audiences": {"aud": [CLIENT, "another"], "azp": "another"},
            "issuer": {"iss": "https://elsewhere.example"}, "expired": {"iat": now - 900, "exp": now - 600}, "subject": {"sub": "u-2"},
        }.get(self.spoil, {})  # fmt: skip
        claims = {k: v for k, v in {**claims, **change}.items() if v is not None}
        key, algorithm = (self.other, "RS256") if self.spoil == "signature" else (SECRET * 3, "HS256") if self.spoil == "shared secret" else (self.key, "RS256")
        signed = jwt.encode(claims, "", algorithm="none", headers={"kid": "k1"}) if self.spoil == "unsigned" else jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "k1"})
        answer = {"access_token": "t", "token_type": "Bearer", "expires_in": 300, "id_token": signed}
        return {k: v for k, v in answer.items() if not (self.spoil == "no ID token" and k == "id_token")}

    def answer(self, path: str, form: dict[str, str]) -> dict:
        self.asked.append(path)
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key())) | {"kid": "k1", "use": "sig", "alg": "RS256"}
        return {
            "/.well-known/openid-configuration": lambda: {
                "issuer": self.issuer or self.home, "authorization_endpoint": f"{self.home}/authorize", "token_endpoint": f"{self.home}/token", "userinfo_endpoint": f"{self.home}/me",
                "jwks_uri": f"{self.home}/keys", "token_endpoint_auth_methods_supported": ["client_secret_post"]},
            "/token": lambda: self.token(form), "/me": lambda: self.person, "/keys": lambda: {"keys": [public]},
        }[path]()  # fmt: skip


@contextmanager
def oidc_server():
    """The server, listening on a free port of this machine."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            form = {k: v[0] for k, v in parse_qs(self.rfile.read(length).decode()).items()}
            body = json.dumps(server.answer(urlsplit(self.path).path, form)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.home = f"http://127.0.0.1:{listening.server_port}"
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()

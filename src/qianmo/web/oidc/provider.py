"""allauth's OpenID Connect with what it leaves out: signature and nonce of every ID token are checked, nothing is asked by query (统一认证).

allauth trusts an ID token that came over TLS without looking at its signature and sends no nonce; OpenID Connect Core 1.0
(3.1.3.7, 5.3.2) is followed here in full: signature by a published key and an allowed algorithm, issuer as configured,
audience, expiry, nonce of this sign-in, and one subject in token and user information.
"""

from __future__ import annotations

import secrets
from typing import Any

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.internal.jwtkit import lookup_kid_jwk
from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest

__all__ = ["ALGORITHMS", "DeskSignOnAdapter", "DeskSignOnProvider", "provider_classes"]

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a public key; none by a shared secret, and never 'none'."""

_LEEWAY_S = 30


class DeskSignOnAdapter(OpenIDConnectOAuth2Adapter):
    """Checks what comes back from the server (认证应答检查)."""

    nonce = ""

    @property
    def openid_config(self) -> dict[str, Any]:
        """The description of the server, refused where it names another issuer than the one of the settings."""
        found: dict[str, Any] = super().openid_config
        wanted = self.get_provider().app.settings["server_url"]
        if str(found.get("issuer", "")).rstrip("/") != wanted:
            raise OAuth2Error(f"issuer {found.get('issuer')!r} is not {wanted!r}")
        return found

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> Any:
        """Who signed in, by an ID token of this very sign-in."""
        given = kwargs["response"].get("id_token")
        if not given:
            raise OAuth2Error("the server sent no ID token")
        data = {"id_token": self._decode_id_token(app, given), "userinfo": self._fetch_user_info(token.token)}
        if data["userinfo"].get("sub") != data["id_token"]["sub"]:
            raise OAuth2Error("the user information is of another subject than the ID token")
        return self.get_provider().sociallogin_from_response(request, data)

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"], allow_redirects=False)
            answer.raise_for_status()
        try:
            head = jwt.get_unverified_header(id_token)
            key = lookup_kid_jwk(answer.json(), head.get("kid"))
            if key is None:
                raise OAuth2Error(f"no key {head.get('kid')!r} at the server")
            found: dict[str, Any] = jwt.decode(
                id_token, key=key, algorithms=list(ALGORITHMS), audience=app.client_id, issuer=self.openid_config["issuer"], leeway=_LEEWAY_S,
                options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
            )  # fmt: skip
        except (jwt.PyJWTError, KeyError) as fault:
            raise OAuth2Error(f"ID token refused: {fault}") from fault
        audience = found["aud"]
        if isinstance(audience, list) and len(audience) > 1 and found.get("azp") != app.client_id:
            raise OAuth2Error("the ID token is for another client")
        if not self.nonce or not secrets.compare_digest(str(found["nonce"]), self.nonce):
            raise OAuth2Error("the nonce of the ID token is not that of this sign-in")
        return found


class DeskSignOnProvider(OpenIDConnectProvider):
    """The one server of the settings (统一认证)."""

    oauth2_adapter_class = DeskSignOnAdapter
    pkce_enabled_default = True

    def get_default_scope(self) -> list[str]:
        """Identity and name; no address is asked for."""
        return ["openid", "profile"]

    def get_auth_params_from_request(self, request: HttpRequest, action: Any) -> dict[str, Any]:
        """A new nonce; nothing that a link could add."""
        return {"nonce": secrets.token_urlsafe(24)}

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        """The scopes of the desk; nothing that a link could add."""
        return list(self.get_scope())

    def redirect(self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **named: Any) -> Any:
        """Keep the nonce with the state of this sign-in."""
        return super().redirect(request, process, next_url, data, **{**named, "nonce": named["auth_params"]["nonce"]})

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        """None: nobody is known by an address."""
        return []


def nonce_of(request: HttpRequest, provider: str) -> str:
    """The nonce of the sign-in that a callback belongs to (本次登录的一次性数); '' where there is none."""
    kept = statekit.get_states(request).get(request.GET.get("state", ""))
    return str(kept[0].get("nonce", "")) if kept is not None and kept[2] == provider else ""


provider_classes = [DeskSignOnProvider]

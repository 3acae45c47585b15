"""Sign-on with the account of the office by OpenID Connect; only where ``desk.toml`` names a server (统一认证)."""

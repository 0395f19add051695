"""What the environment decides, read once and checked at the first use."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass


class MissingSetting(RuntimeError):
    """An environment variable without which the engine must not run is absent."""


@dataclass(frozen=True)
class Settings:
    """One installation's settings.

    `id_secret` keys every derived id: with another secret all replays would look new, so it must never change. The
    walks of a night run in `nightly_segments` side by side, and the audit comes by every chain in `audit_cycle_nights`.
    """

    stage: str
    table_prefix: str
    id_secret: bytes
    oidc_issuer: str
    oidc_clients: tuple[str, ...]
    oidc_jwks_url: str
    oidc_scope_prefix: str
    claims_queue_url: str
    challenges_queue_url: str = ""
    nightly_queue_url: str = ""
    audit_queue_url: str = ""
    vouchers_queue_url: str = ""
    referrals_queue_url: str = ""
    surveys_queue_url: str = ""
    birthdays_queue_url: str = ""
    crossings_queue_url: str = ""
    bucket: str = ""
    scoring_queue_url: str = ""
    nightly_segments: int = 4
    audit_cycle_nights: int = 28
    request_metrics: bool = False

    def table(self, name: str) -> str:
        """The full name of one of the engine's tables."""
        return self.table_prefix + name


def read(environment: Mapping[str, str]) -> Settings:
    """Settings from `environment`. Raises MissingSetting, naming the variable."""
    return Settings(
        stage=environment.get("HUIKE_STAGE", "dev"),
        table_prefix=_required(environment, "HUIKE_TABLE_PREFIX"),
        id_secret=_required(environment, "HUIKE_ID_SECRET").encode(),
        oidc_issuer=environment.get("HUIKE_OIDC_ISSUER", "").rstrip("/"),
        oidc_clients=tuple(filter(None, environment.get("HUIKE_OIDC_CLIENTS", "").split(","))),
        oidc_jwks_url=environment.get("HUIKE_OIDC_JWKS_URL", ""),
        oidc_scope_prefix=environment.get("HUIKE_OIDC_SCOPE_PREFIX", "huike/"),
        claims_queue_url=environment.get("HUIKE_CLAIMS_QUEUE_URL", ""),
        challenges_queue_url=environment.get("HUIKE_CHALLENGES_QUEUE_URL", ""),
        nightly_queue_url=environment.get("HUIKE_NIGHTLY_QUEUE_URL", ""),
        audit_queue_url=environment.get("HUIKE_AUDIT_QUEUE_URL", ""),
        vouchers_queue_url=environment.get("HUIKE_VOUCHERS_QUEUE_URL", ""),
        referrals_queue_url=environment.get("HUIKE_REFERRALS_QUEUE_URL", ""),
        surveys_queue_url=environment.get("HUIKE_SURVEYS_QUEUE_URL", ""),
        birthdays_queue_url=environment.get("HUIKE_BIRTHDAYS_QUEUE_URL", ""),
        crossings_queue_url=environment.get("HUIKE_CROSSINGS_QUEUE_URL", ""),
        scoring_queue_url=environment.get("HUIKE_SCORING_QUEUE_URL", ""),
        bucket=environment.get("HUIKE_BUCKET", ""),
        nightly_segments=int(environment.get("HUIKE_NIGHTLY_SEGMENTS", "4")),
        audit_cycle_nights=int(environment.get("HUIKE_AUDIT_CYCLE_NIGHTS", "28")),
        request_metrics=environment.get("HUIKE_REQUEST_METRICS") == "on",
    )


@functools.cache
def settings() -> Settings:
    """This process's settings, read from its environment once."""
    return read(os.environ)


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise MissingSetting(f"The environment variable {name} is not set; the template sets it on every function.")
    return value

"""Rounds of offers and answers until all that a plan needs have agreed (协商轮次)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo.planning.integration.candidates import candidates
from qianmo.planning.integration.integrate import IntegrationResult, integrate_titles, recertified
from qianmo.planning.integration.settings import IntegrationSettings
from qianmo.planning.integration.titles import Titles, read_titles
from qianmo.schema.errors import SchemaError

__all__ = ["Negotiation", "negotiate"]


@dataclass(frozen=True, eq=False)
class Negotiation:
    """The last plan, all offers with their answers, the titles as they stand at the end (协商结果)."""

    result: IntegrationResult
    offers: pd.DataFrame
    titles: Titles
    rounds: int
    is_agreed: bool


def negotiate(
    frame: gpd.GeoDataFrame, *, settings: IntegrationSettings, reservation: Mapping[str, float] | None = None,
    answers: Mapping[tuple[str, str], str] | None = None, rounds_max: int = 20,
) -> Negotiation:  # fmt: skip
    """Offer, hear the answers, plan again (协商求解).

    A holder accepts an offer whose relative gain reaches the reservation of the title, and where `answers` names title
    and mode, if that answer is 'accept'. A refusal with a known reservation raises what is due to the title to it; a
    refusal by answer strikes the mode out, and the last mode struck out makes the consent 'no'. Every round ends with all
    agreed or with one such change more, so the rounds end.

    Parameters
    ----------
    frame : GeoDataFrame, table ``title``
    settings : IntegrationSettings
    reservation : mapping of title_id to relative gain, optional
        Titles that are not named accept what is offered.
    answers : mapping of (title_id, mode) to 'accept' or 'refuse', optional
    rounds_max : int

    Returns
    -------
    Negotiation
        `offers` is table ``title_offer``. When agreed, every consent the plan uses has become 'yes'.

    Raises
    ------
    SchemaError
        An answer or a reservation names an unknown title, or is no answer.
    InfeasibleError
        After some round no block can be assembled.
    """
    titles = read_titles(frame, settings=settings)
    said, least = dict(answers or {}), dict(reservation or {})
    _refuse_unknown(titles, said, least)
    blocks = candidates(titles, settings=settings)
    log: list[tuple[int, str, str, str, str, int, int, float, str]] = []
    for number in range(1, rounds_max + 1):
        result = integrate_titles(frame, titles, blocks, settings=settings)
        titles, agreed, heard = _round(result, titles, said, least, number)
        log += heard
        if agreed:
            return Negotiation(_final(frame, titles, result, settings), _table(log), titles, number, True)
    return Negotiation(result, _table(log), titles, rounds_max, False)


def _round(
    result: IntegrationResult, titles: Titles, said: Mapping[tuple[str, str], str], least: Mapping[str, float], number: int
) -> tuple[Titles, bool, list[tuple[int, str, str, str, str, int, int, float, str]]]:
    need, accepts, consent = titles.need_fen.copy(), list(titles.accepts), list(titles.consent)
    heard = []
    agreed = True
    for r in result.settlement.outcome.itertuples():
        if r.mode == "keep":
            continue
        k = titles.name.index(r.title_id)
        wants = int(np.ceil(int(r.value_before_fen) * (1 + least.get(r.title_id, -1.0)) - 1e-6))
        answer = said.get((r.title_id, r.mode), "accept") if int(r.value_after_fen) >= wants else "refuse"
        heard.append((number, r.title_id, r.holder_id, r.mode, r.block_id, int(r.value_before_fen), int(r.value_after_fen), float(r.gain), answer))
        if answer == "accept":
            consent[k] = "yes"
            continue
        agreed = False
        if int(r.value_after_fen) < wants:
            need[k] = wants
        else:
            accepts[k] = accepts[k] - {r.mode}
            consent[k] = "no" if not accepts[k] else consent[k]
    return replace(titles, need_fen=need, accepts=tuple(accepts), consent=tuple(consent)), agreed, heard


def _final(frame: gpd.GeoDataFrame, titles: Titles, result: IntegrationResult, settings: IntegrationSettings) -> IntegrationResult:
    """The agreed plan with the consents it was given: every holder inside its blocks has just said yes."""
    made = result.settlement
    whole = made.blocks.assign(consent_heads=[1.0] * len(made.blocks), consent_area=[1.0] * len(made.blocks))
    return recertified(frame, titles, replace(made, blocks=whole), result, settings=settings)


def _refuse_unknown(titles: Titles, said: Mapping[tuple[str, str], str], least: Mapping[str, float]) -> None:
    known = set(titles.name)
    strange = sorted({t for t, _ in said} - known) + sorted(set(least) - known)
    if strange:
        raise SchemaError(f"answers name unknown titles {strange[:5]}", expected="title_id of the title table", cure="改正答复中的产权编号")
    wrong = sorted(k for k, a in said.items() if a not in ("accept", "refuse"))
    bad = sorted(t for t, g in least.items() if not np.isfinite(g))
    if wrong or bad:
        raise SchemaError(f"answers {wrong[:3]}, reservations {bad[:3]}", expected="accept or refuse; a finite gain", cure="改正答复")


def _table(log: list[tuple[int, str, str, str, str, int, int, float, str]]) -> pd.DataFrame:
    columns = ["round", "title_id", "holder_id", "mode", "block_id", "value_before_fen", "value_after_fen", "gain", "answer"]
    return pd.DataFrame(log, columns=columns)

"""The checklist of a department, filled in by the rules, and its signed opinion (审查要点、签署意见)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from qianmo.governance.review_opinions import ANSWERS, is_overruled
from qianmo.governance.review_process import apply
from qianmo.governance.review_records import RESULTS, Person, ReviewEvent, ReviewState, Seat
from qianmo.jobs.queries.review_desk import ReviewView
from qianmo.schema.desk import Viewer
from qianmo.schema.errors import MissingDataError, ReviewRefusedError
from qianmo.schema.rules import rules, source_words
from qianmo.web.authorise import shown_layer, viewer_of, visible_entries
from qianmo.web.authorise_review import review_for, roster_person
from qianmo.web.review_act import act, actor_of, event_id, fresh_id, is_done, now, refusal
from qianmo.web.review_forms import seats_for
from qianmo.web.review_words import consequence, evidence_words, name_of, verb_word, word
from qianmo.web.words import both

__all__ = ["show_points", "sign"]

_CHIPS = 12
_SETTING = re.compile(r"\([a-z][a-z0-9]*(_[a-z0-9]+)+\)")
"""Name of a setting behind its Chinese words, which the command needs and a page does not."""


def show_points(request: HttpRequest, review: str, department: str) -> HttpResponse:
    """Points of a department with rules, layer versions and parcels; a form for who may sign now."""
    viewer = viewer_of(request)
    view = review_for(viewer, review)
    person = roster_person(viewer, view.state)
    seat = _seat(view.state, person, department, request.GET.get("seat", "")) if person else None
    return _page(request, view, department, seat, {})


def sign(request: HttpRequest, review: str, department: str) -> HttpResponse:
    """First check what was filled in, and say what would be signed; then sign it."""
    view = review_for(viewer_of(request), review)
    person = actor_of(request, view)
    if request.method != "POST":
        return redirect("review-points", review, department)
    number = event_id(request, "opine", person.id, review)
    if is_done(view, number):
        return _signed(request, review)
    seat = _seat(view.state, person, department, request.POST.get("seat", ""))
    if seat is None:
        raise PermissionDenied(f"no seat of {department} is open to {person.id}")
    said = _said(request.POST, view, seat)
    try:
        if request.POST.get("step") == "sign":
            act(request, view, "opine", person, number, lambda state: said)
            return _signed(request, review)
        apply(view.state, ReviewEvent("?", "opine", person.id, now(), said))
    except ReviewRefusedError as fault:
        return _page(request, view, department, seat, request.POST, fault=refusal(fault))
    return render(request, "review/sign.html", _sum_up(request, view, person, seat, department, said))


def _signed(request: HttpRequest, review: str) -> HttpResponse:
    messages.success(request, _("Recorded: %(move)s. %(consequence)s.") % {"move": verb_word("opine"), "consequence": consequence("opine")})
    return redirect("review", review)


def _seat(state: ReviewState, person: Person, department: str, wanted: str) -> Seat | None:
    """The seat of the department that the person may sign for now: the one that is named, else the first."""
    open_seats = [found[1] for s, _label in seats_for("opine", state, person, now()) if (found := state.seat(s)) and found[1].department == department]
    return next((s for s in open_seats if s.id == wanted), open_seats[0] if open_seats and not wanted else None)


def _said(post: Mapping[str, Any], view: ReviewView, seat: Seat) -> dict[str, Any]:
    """The opinion as posted; the version is the one the form was made for, not the present one."""
    answers = []
    for p in () if seat.added_by else _points(view, seat.department):
        answer = post.get(f"answer-{p['item_id']}", "")
        if answer:
            confirmed = post.get(f"text-{p['item_id']}") == "1"
            answers.append({"item": p["item_id"], "answer": answer, "reason": post.get(f"reason-{p['item_id']}", "").strip(), "text_confirmed": confirmed})
    conditions = [line.strip() for line in post.get("conditions", "").splitlines() if line.strip()]
    return {"seat": seat.id, "package": post.get("package", ""), "result": post.get("result", ""), "reason": post.get("reason", "").strip(), "answers": answers, "conditions": conditions,
            **({"due": post["due"]} if post.get("due") and conditions else {})}  # fmt: skip


def _points(view: ReviewView, department: str) -> list[Mapping[str, Any]]:
    return [p for p in view.points if p["department"] == department]


def _page(request: HttpRequest, view: ReviewView, department: str, seat: Seat | None, post: Mapping[str, Any], *, fault: str = "") -> HttpResponse:
    points = _points(view, department)
    if not points and not any(s.department == department for g in view.state.groups for s in g.seats):
        raise Http404
    viewer = viewer_of(request)
    allowed = _seen_layers(viewer)
    given = {a["item"]: a for o in view.state.opinions if o.standing == "valid" and o.department == department for a in o.answers}
    shown = [_point(view, viewer, p, allowed, given.get(p["item_id"]), post) for p in points]
    found = view.state.seat(seat.id) if seat else None
    results = RESULTS if found and found[0].mode == "vote" else RESULTS[:3]
    common = {
        "view": view, "department": department, "points": shown, "seat": seat, "fault": fault, "event": fresh_id(), "results": [(r, word("result", r)) for r in results],
        "answers": [(a, word("answer", a)) for a in ANSWERS], "post": post, "package": post.get("package") or view.state.package, "needs_points": bool(seat and not seat.added_by and points),
        "behalf": name_of(view.state, seat.person) if seat and seat.person != viewer.name else "", "counts": _counts(points),
    }  # fmt: skip
    return render(request, "review/points.html", common, status=422 if fault else 200)


def _point(view: ReviewView, viewer: Viewer, point: Mapping[str, Any], allowed: Mapping[str, str], given: Mapping[str, Any] | None, post: Mapping[str, Any]) -> dict[str, Any]:
    """A point as its card shows it: rules, what is suggested, what was answered or is filled in."""
    item, suggested = point["item_id"], point["suggested"]
    ready = suggested if suggested in ("pass", "condition", "reject") else ""
    return {
        "point": point, "text": both(point["item_zh"], point["item_en"]), "evidence": both(evidence_words(item, point["evidence"]), point["evidence"]),
        "suggested": word("suggested", suggested), "links": [_link(viewer, r, allowed) for r in view.links if r["item_id"] == item],
        "given": {**given, "word": word("answer", given["answer"]), "overruled": is_overruled(suggested, given["answer"])} if given else None,
        "answer": post.get(f"answer-{item}", ready) if post else ready, "reason": post.get(f"reason-{item}", "") if post else point["why"] if ready in ("condition", "reject") else "",
        "text_confirmed": post.get(f"text-{item}") == "1",
    }  # fmt: skip


def _link(viewer: Viewer, row: Mapping[str, Any], allowed: Mapping[str, str]) -> dict[str, Any]:
    """A rule behind a point with its layers and parcels, as far as the person may see them."""
    layers = [dict(zip(("name", "version"), part.split("@", 1), strict=True)) for part in str(row["layers"]).split(";") if "@" in part]
    patches = _own(viewer, [p for p in str(row["patch_ids"]).split(";") if p]) if "landuse_patch" in allowed else []
    shown = [{**part, "version": part["version"].replace("未注明", both("未注明时点", "undated")).replace("#", " #"),
              "seen": part["name"] in allowed, "title": allowed.get(part["name"], "")} for part in layers]
    known = rules().get(str(row["rule_id"]))
    title, quoted = str(row["text_zh"]), ""
    if known is not None and both("", "en"):
        title, quoted = known.en, title
    source = str(row["source"])
    numbers = both(_SETTING.sub("", str(row["numbers"])), str(row["numbers"]))
    return {"numbers": numbers, "title": title, "quoted": quoted, "source": both(source_words(source), source), "row": row,
            "verdict": word("verdict", row["verdict"]), "confidence": word("confidence", row["confidence"]), "layers": shown, "chips": patches[:_CHIPS], "more": max(len(patches) - _CHIPS, 0)}  # fmt: skip


def _seen_layers(viewer: Viewer) -> dict[str, str]:
    """Titles of the layers the person may see, by name."""
    return {e.name: both(e.dataset.zh, e.name.replace("_", " ")) for e in visible_entries(viewer)}


def _own(viewer: Viewer, patches: list[str]) -> list[str]:
    """Parcels inside the region of the person; all for who has none."""
    if not viewer.region or not patches:
        return patches
    try:
        shown = shown_layer(viewer, "landuse_patch")
    except MissingDataError:
        return []
    own = shown.in_region(viewer.region)
    if own is None:
        return patches
    inside = {str(k) for k, is_own in zip(shown.table.column("patch_id").to_pylist(), own, strict=True) if is_own}
    return [p for p in patches if p in inside]


def _counts(points: list[Mapping[str, Any]]) -> list[tuple[str, int]]:
    order = ("reject", "condition", "confirm", "manual", "pass")
    return [(word("suggested", s), n) for s in order if (n := sum(p["suggested"] == s for p in points))]


def _sum_up(request: HttpRequest, view: ReviewView, person: Person, seat: Seat, department: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """What the page before the signature says."""
    titles = {p["item_id"]: p for p in _points(view, department)}
    answered = [
        {"item": a["item"], "text": both(titles[a["item"]]["item_zh"], titles[a["item"]]["item_en"]), "answer": word("answer", a["answer"]), "suggested": word("suggested", titles[a["item"]]["suggested"]),
         "reason": a["reason"], "overruled": is_overruled(titles[a["item"]]["suggested"], a["answer"])}
        for a in said["answers"]
    ]  # fmt: skip
    kept = [(k, v) for k, values in request.POST.lists() if k not in ("csrfmiddlewaretoken", "step", "event") for v in values]
    return {"view": view, "department": department, "said": said, "result": word("result", said["result"]), "answered": answered, "overruled": sum(a["overruled"] for a in answered),
            "kept": kept, "event": fresh_id(), "consequence": consequence("opine"), "behalf": name_of(view.state, seat.person) if seat.person != person.id else ""}  # fmt: skip

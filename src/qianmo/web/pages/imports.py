"""Import: upload, four steps, a job (数据导入)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from qianmo.jobs.queries.tiles import bounds_lonlat
from qianmo.jobs.queries.uploads import (
    ACCEPTED,
    keep_answers,
    keep_batch,
    look_of,
    open_questions,
    province_boxes,
    remove_upload,
    still_to_do,
    upload_limit_mb,
    uploads,
)
from qianmo.jobs.spec import checked_values
from qianmo.schema.errors import NotAllowedError, QianmoError
from qianmo.web.authorise import may, may_replace, upload_for, viewer_of, visible_entries
from qianmo.web.desk import layers, project_folder
from qianmo.web.errors import error_words, kept_words
from qianmo.web.import_forms import answers_from, fields_form, place_form, what_form
from qianmo.web.import_map import detail, overview
from qianmo.web.models import Person, Task
from qianmo.web.tasks import ask, ask_cancel
from qianmo.web.upload_stream import QuarantineHandler

__all__ = ["all_imports", "import_step", "remove_import", "show_import"]

_FORMS: dict[int, Callable[..., forms.Form]] = {1: what_form, 2: place_form, 3: fields_form}
_LAST = 4


@csrf_exempt
def all_imports(request: HttpRequest) -> HttpResponse:
    """Uploads of the person, and the field for a new one; files go to the quarantine while they come in."""
    handler = None
    if request.method == "POST":
        handler = QuarantineHandler(request)
        request.upload_handlers = [handler]
    try:
        return _protected(request, handler)
    finally:
        if handler is not None:
            handler.half.drop()


@csrf_protect
def _protected(request: HttpRequest, handler: QuarantineHandler | None = None) -> HttpResponse:
    viewer = viewer_of(request)
    fault: QianmoError | None = None
    if handler is not None and isinstance(request.user, Person):
        if request.FILES:
            record = {"person": viewer.name, "made": timezone.now().isoformat(timespec="seconds"), "answers": {}, "step": 1}
            number = handler.half.finish(record)
            _look_again(request.user, number, {}, step=1)
            following = reverse("import", kwargs={"number": number})
            return JsonResponse({"next": following}) if request.headers.get("Accept", "").startswith("application/json") else redirect(following)
        fault = QianmoError("没有选择文件", expected="至少一个文件", cure="选择文件或拖入后再上传")
        if request.headers.get("Accept", "").startswith("application/json"):
            return JsonResponse({"error": error_words(fault)}, status=422)
    kept = [{**b, "state": _state_word(b)} for b in uploads(project_folder()) if not b.get("kind") and (b.get("person") == viewer.name or may(viewer, "manage"))]
    shown = {"uploads": kept, "accepted": ",".join(ACCEPTED), "limit_mb": upload_limit_mb(), "fault": error_words(fault) if fault else None}
    return render(request, "desk/imports.html", shown, status=422 if fault else 200)


def show_import(request: HttpRequest, number: str) -> HttpResponse:
    """Where an upload is: being looked at, asking, being taken in, taken in."""
    batch = upload_for(viewer_of(request), str(number))
    task = _task(batch.get("task")) or _task(batch.get("look_task"))
    if task is not None and task.job == "ingest-look" and task.state == "done":
        return redirect("import-step", number=number, step=open_questions(look_of(project_folder(), str(number)), int(batch.get("step", 1))))
    error = kept_words(task.error) if task else {}
    taken = look_of(project_folder(), str(number)).get("taken", []) if task and task.job == "ingest" and task.state == "done" else []
    shown = [e for e in visible_entries(viewer_of(request)) if e.name in taken]
    return render(request, "desk/import_state.html", {"batch": batch, "task": task, "fault": error, "layers": shown, "lines": task.report.get("lines", []) if task else []})


def import_step(request: HttpRequest, number: str, step: int) -> HttpResponse:
    """One of the four steps: what it is, where it lies, fields and faults, confirm."""
    viewer, number = viewer_of(request), str(number)
    batch, look = upload_for(viewer, number), look_of(project_folder(), number)
    task = _task(batch.get("task"))
    looking = _task(batch.get("look_task"))
    if not 1 <= step <= _LAST:
        raise Http404
    if (task is not None and task.state in ("queued", "running", "done")) or not look or looking is None or looking.state != "done":
        return redirect("import", number=number)
    if step == _LAST:
        return _confirm(request, batch, look)
    answers = batch.get("answers", {})
    form = _FORMS[step](look, answers, request.POST if request.method == "POST" else None)
    fault: dict[str, str] = {}
    if request.method == "POST" and form.is_valid() and isinstance(request.user, Person):
        try:
            given = answers_from(step, form, look, answers)
            if "again" not in request.POST and given == answers and not any(e["step"] == step for e in still_to_do(look)):
                keep_batch(project_folder(), number, step=step + 1)
                return redirect("import-step", number=number, step=step + 1)
            _look_again(request.user, number, given, step=step if "again" in request.POST else step + 1)
            return redirect("import", number=number)
        except QianmoError as error:
            fault = error_words(error)
    shown = {**_about(batch, look, step), "form": form, "fault": fault, "groups": _groups(form, look, step, _known(request))}
    return render(request, f"desk/import_{step}.html", shown, status=422 if form.errors or fault else 200)


def remove_import(request: HttpRequest, number: str) -> HttpResponse:
    """Remove an upload with its files; what was taken in stays."""
    batch = upload_for(viewer_of(request), str(number))
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    task = _task(batch.get("task"))
    if task is not None and task.is_open:
        raise NotAllowedError("这次导入正在进行", expected="已结束的导入", cure="先取消任务, 或等它结束")
    looking = _task(batch.get("look_task"))
    if looking is not None and looking.is_open:
        ask_cancel(looking)
    remove_upload(project_folder(), str(number))
    return redirect("imports")


def _confirm(request: HttpRequest, batch: Mapping[str, Any], look: Mapping[str, Any]) -> HttpResponse:
    viewer, left, number = viewer_of(request), still_to_do(look), str(batch["number"])
    if request.method == "POST" and isinstance(request.user, Person):
        if left:
            raise NotAllowedError(f"还有 {len(left)} 个问题没有解决: {left[0]['found']}", expected="先答复各步的问题", cure="回到前面的步骤答复, 或把它勾为不入库")
        may_replace(viewer, look["taken"])
        answers = batch.get("answers", {})
        values = {"recipe": f"uploads/{number}/recipe.toml", "repair": bool(answers.get("repair")), "level": bool(answers.get("level")), "accept": answers.get("accept") or None}
        task = ask(request.user, "ingest", {k: v for k, v in values.items() if v})
        keep_batch(project_folder(), number, task=str(task.number), step=_LAST)
        return redirect("import", number=number)
    seen = {e.name for e in visible_entries(viewer)}
    shown = {**_about(batch, look, _LAST), "left": left, "replaced": [r for r in look.get("replaced", []) if r["name"] in seen], "answers": batch.get("answers", {}),
             "errors": sum(f["count"] for f in look["faults"] if f["severity"] == "error"), "others": sum(f["count"] for f in look["faults"] if f["severity"] != "error")}  # fmt: skip
    return render(request, "desk/import_4.html", shown)


def _look_again(person: Person, number: str, answers: dict[str, Any], *, step: int) -> None:
    """Keep the answers and queue a look with them; an earlier look that still runs is ended."""
    from qianmo.jobs.registry import job_spec

    earlier = _task(keep_answers(project_folder(), number, answers, now=timezone.now()).get("look_task"))
    if earlier is not None and earlier.is_open:
        ask_cancel(earlier)
    values: dict[str, Any] = {"recipe": f"uploads/{number}/recipe.toml"} | ({"accept": answers["accept"]} if answers.get("accept") else {})
    checked_values(job_spec("ingest-look"), {**values, "into": "."})
    task = ask(person, "ingest-look", values)
    keep_batch(project_folder(), number, look_task=str(task.number), step=step, task=None)


def _about(batch: Mapping[str, Any], look: Mapping[str, Any], step: int) -> dict[str, Any]:
    words = (_("What it is"), _("Where it lies"), _("Fields and faults"), _("Confirm"))
    steps = [{"number": k, "word": w, "now": k == step, "open": k <= open_questions(look, _LAST)} for k, w in enumerate(words, start=1)]
    return {"batch": batch, "look": look, "step": step, "steps": steps, "title": words[step - 1], "open": [e for e in still_to_do(look) if e["step"] == step]}


def _known(request: HttpRequest) -> dict[str, tuple[float, float, float, float]]:
    """Boxes of the layers the person may see."""
    found = {e.name: bounds_lonlat(layers().head(e.name)) for e in visible_entries(viewer_of(request)) if e.is_drawn}
    return {k: (b[0], b[1], b[2], b[3]) for k, b in found.items() if b}


def _groups(form: forms.Form, look: Mapping[str, Any], step: int, known: Mapping[str, tuple[float, float, float, float]]) -> list[dict[str, Any]]:
    """Fields of the form beside the source or layer they ask about; the last group asks about all."""
    groups = []
    for prefix, rows in (("s", look["sources"]), ("l", look["layers"])):
        for k, row in enumerate(rows):
            mine = [form[name] for name in form.fields if name.startswith(f"{prefix}{k}-")]
            group: dict[str, Any] = {"row": row, "fields": mine, "is_source": prefix == "s"}
            if step == 2 and row.get("place") and not row["skip"]:
                group["maps"] = [m for m in (overview(row["place"], province_boxes()), detail(row["place"], known)) if m]
            if step == 3 and mine:
                columns = [form[f"l{k}-f{n}"] for n in range(len(row["targets"]))]
                pairs = list(zip(row["targets"], columns, strict=True))
                used = set(row["fields"].values())
                group["main"] = [p for p in pairs if p[0]["required"] or p[0]["name"] in used]
                group["rest"] = [p for p in pairs if not (p[0]["required"] or p[0]["name"] in used)]
                group["fields"] = [form[f"l{k}-area_unit"]]
            if mine or (step == 1 and prefix == "s"):
                groups.append(group)
    common = [form[name] for name in form.fields if "-" not in name or name.startswith("accept-")]
    return [*groups, {"row": None, "fields": common}]


def _state_word(batch: Mapping[str, Any]) -> str:
    task = _task(batch.get("task"))
    if task is not None:
        return {"queued": _("waits for its turn"), "running": _("is being taken in"), "done": _("taken in"), "failed": _("failed"), "cancelled": _("cancelled")}[task.state]
    return _("not taken in yet")


def _task(number: str | None) -> Task | None:
    return Task.objects.filter(number=number).select_related("person").first() if number else None

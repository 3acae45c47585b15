"""Words of the templates: areas in the chosen unit, labels in the chosen language (模板标签)."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from qianmo.jobs.listed import listed_specs
from qianmo.jobs.registry import job_names
from qianmo.schema.desk import desk_roles, secrecy_levels
from qianmo.schema.messages import chinese_message, english_message, in_language
from qianmo.schema.tables import table_names, table_spec
from qianmo.schema.units import M2_PER_HA, MU_PER_HA
from qianmo.web.desk import project_folder

__all__ = ["UNITS", "area", "both", "in_form", "in_unit", "job_word", "level_word", "line_word", "mb", "register", "role_word", "said", "table_word", "unit_word"]

register = template.Library()

UNITS = {"mu": (M2_PER_HA / MU_PER_HA, 2), "ha": (float(M2_PER_HA), 4), "m2": (1.0, 2)}
"""Units of area by name: square metres in one, and decimals shown."""


def in_unit(area_m2: float, unit: str) -> str:
    """An area in a unit, grouped by thousands (面积换算)."""
    size, decimals = UNITS.get(unit, UNITS["mu"])
    return f"{area_m2 / size:,.{decimals}f}"


@register.simple_tag
def unit_word(unit: str) -> str:
    """What a unit is called (单位名称)."""
    return {"mu": _("mu"), "ha": _("ha"), "m2": _("m²")}.get(unit, unit)


@register.simple_tag(takes_context=True)
def area(context: dict[str, Any], area_m2: float) -> SafeString:
    """An area in the unit the person chose, with the square metres behind it (面积)."""
    unit = context.get("unit", "mu")
    return format_html('<span class="area" data-m2="{}" title="{} m²">{}</span>', f"{area_m2:.2f}", f"{area_m2:,.2f}", in_unit(area_m2, unit))


@register.simple_tag
def both(zh: str, en: str) -> str:
    """The one of two words that fits the language of the page (双语)."""
    return zh if (get_language() or "zh").startswith("zh") or not en else en


@register.filter
def role_word(role: str) -> str:
    """What a role is called (角色名称)."""
    found = desk_roles().get(role)
    return both(found.zh, found.en) if found else role


@register.filter
def level_word(level: int) -> str:
    """What a secrecy level is called (密级名称)."""
    return both(*secrecy_levels().get(level, (str(level), str(level))))


@register.filter
def job_word(name: str) -> str:
    """What a job is called (作业名称)."""
    return name if name not in job_names() else both((spec := listed_specs(project_folder())[name]).zh, spec.en)


@register.filter
def said(text: str) -> str:
    """A message of the program in the language of the page (提示文字)."""
    return chinese_message(text) if (get_language() or "zh").startswith("zh") else in_language(text, "en", _("As the words in brackets say:"))


@register.filter
def line_word(line: str) -> str:
    """A line of a report in the language of the page as far as it has words there (报告行)."""
    return line if (get_language() or "zh").startswith("zh") else english_message(line)


@register.filter
def mb(size_bytes: int) -> str:
    """A size in megabytes with two decimals, at least 0.01 (文件大小)."""
    return f"{max(size_bytes / (1 << 20), 0.01):,.2f}"


@register.filter
def in_form(text: str) -> str:
    """A message that names options of the command line, with the fields of the form in their place (改为表单项)."""
    words = {
        "--as-table": _("What the layer is"), "--crs": _("Reference system"), "--datum": _("Datum of the data, where you know it"), "--county": _("County code of six digits"),
        "--encoding": _("Text encoding"), "--class-scheme": _("Classification of land use"), "--classes": _("Class of each cell value, such as 4=0201,6=0301"),
        "--helmert": _("Datum shift to CGCS2000: dx,dy,dz or dx,dy,dz,rx,ry,rz,ppm"), "--unit": _("Unit of the rain, such as mm"),
    }  # fmt: skip
    for option in sorted(words, key=len, reverse=True):
        text = text.replace(option, f"“{words[option]}”")
    return text


@register.filter
def table_word(name: str) -> str:
    """What a table is called (图层类型名称)."""
    return both(table_spec(name).zh, name.replace("_", " ")) if name in table_names() else name

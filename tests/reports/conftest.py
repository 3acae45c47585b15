"""A small invented township and invented results, only for the reports (all numbers made up)."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

CRS = "EPSG:4548"
CODES = np.array(["0101", "0103", "0201", "0301", "0302", "0307", "0404", "0702", "1003", "1006", "1101", "1104", "1206"])
NAMES = dict(zip(CODES, ["水田", "旱地", "果园", "乔木林地", "竹林地", "其他林地", "其他草地", "农村宅基地", "公路用地", "农村道路", "河流水面", "坑塘水面", "裸土地"], strict=True))
VILLAGES = ["上游村", "东溪村", "大坪村", "岭下村", "桥头村", "石壁村", "长坑村", "下洋村"]


def invented_layers(count: int = 2000, *, seed: int = 7) -> dict[str, gpd.GeoDataFrame]:
    """Voronoi patches in a round township of about 30 km2 with the three lines."""
    rng = np.random.default_rng(seed)
    centre = np.array([480_000.0, 2_905_000.0])
    outline = shapely.Point(*centre).buffer(3_100)
    patches = _cells(outline, centre + rng.uniform(-3_100, 3_100, (count, 2)))
    middle = shapely.get_coordinates(shapely.centroid(patches)) - centre
    kind = np.clip(((np.abs(middle[:, 1]) / 3100 * 9) + rng.normal(0, 1.6, len(patches))).astype(int), 0, len(CODES) - 1)
    villages = _cells(outline, centre + rng.uniform(-2_400, 2_400, (len(VILLAGES), 2)))
    home = shapely.STRtree(villages).nearest(shapely.point_on_surface(patches))
    area = np.round(shapely.area(patches), 2)
    frame = gpd.GeoDataFrame(
        {
            "patch_id": [f"P{n:05d}" for n in range(len(patches))], "class_code": CODES[kind], "class_name": [NAMES[c] for c in CODES[kind]],
            "village_code": [f"35042610{v:04d}" for v in home], "area_m2": area, "class_area_m2": area,
            "slope_class": rng.integers(1, 6, len(patches)).astype(str),
        },
        geometry=patches, crs=CRS,
    )  # fmt: skip
    farm = frame[frame.class_code.isin(["0101", "0103"])]
    return {
        "landuse_patch": frame,
        "village": gpd.GeoDataFrame({"village_code": [f"35042610{v:04d}" for v in range(len(VILLAGES))], "village_name": VILLAGES}, geometry=villages, crs=CRS),
        "project_area": gpd.GeoDataFrame({"project_id": ["X1"], "project_name": ["示例整治区"]}, geometry=[outline], crs=CRS),
        "basic_farmland": farm.iloc[::2][["patch_id", "geometry"]],
        "eco_redline": gpd.GeoDataFrame({"redline_id": ["R1"]}, geometry=[outline & shapely.box(*(centre + (-3100, 1800)), *(centre + 3100))], crs=CRS),
        "urban_boundary": gpd.GeoDataFrame({"boundary_id": ["U1"]}, geometry=[shapely.Point(*(centre + (700, -300))).buffer(420)], crs=CRS),
    }


def invented_plan(patches: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Every orchard goes back to farmland, every second homestead too, dry land is merged; the rest is kept."""
    plan = patches.copy()
    measure = np.where(plan.class_code == "0201", "restore_farmland", "keep").astype(object)
    measure[(plan.class_code == "0702").to_numpy() & (np.arange(len(plan)) % 2 == 0)] = "reclaim_homestead"
    measure[(plan.class_code == "0103").to_numpy() & (np.arange(len(plan)) % 3 == 0)] = "merge_fields"
    measure[(plan.class_code == "1206").to_numpy()] = "afforest"
    target = {"restore_farmland": "0103", "reclaim_homestead": "0103", "merge_fields": "0103", "afforest": "0301"}
    plan["measure"] = measure
    plan["target_class"] = [target.get(m, c) for m, c in zip(measure, plan.class_code, strict=True)]
    plan["cost_yuan"] = np.where(measure == "keep", 0.0, np.round(plan.area_m2.to_numpy() * 6.0, 2))
    plan["reason"] = "示例"
    worked = measure != "keep"
    plan["subproject_id"] = np.where(worked, "Z" + plan.village_code.str[-2:] + "-" + pd.Series(measure, index=plan.index).str[:3].str.upper(), "")
    plan["year"] = np.where(worked, 2026 + np.arange(len(plan)) % 3, 0)
    return plan


def _cells(outline: shapely.Geometry, points: np.ndarray) -> np.ndarray:
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), extend_to=outline))
    cut = shapely.intersection(cells, outline)
    return cut[shapely.area(cut) > 1.0]


def invented_results(layers: dict[str, gpd.GeoDataFrame], plan: gpd.GeoDataFrame) -> dict[str, Any]:
    """Result tables with the columns the rooms agreed on; sums are real sums of the invented patches."""
    patches, works = layers["landuse_patch"], plan[plan.measure != "keep"]
    farm = patches[patches.class_code.isin(["0101", "0103"])]
    names = dict(zip(layers["village"].village_code, layers["village"].village_name, strict=True))
    after = plan.target_class
    new = works[works.target_class.isin(["0101", "0103"]) & ~works.class_code.isin(["0101", "0103"])]
    costs = _costs(works)
    total = float(costs.total_yuan.sum())
    return {
        "land_structure": _structure(patches),
        "structure_by_village": _by_village(patches, names),
        "fragmentation": _fragments(farm, names),
        "contiguity": pd.DataFrame({"class_label": ["≤5亩", "5-10亩", "10-20亩", ">20亩"], "blocks": [40, 22, 13, 31],
                                    "area_m2": [80_000.0, 110_000.25, 130_000.5, 9_000_000.75], "share": 0.25}),
        "slope_classes": pd.DataFrame({"slope_class": list("12345"), "label": ["≤2°", "2°~6°", "6°~15°", "15°~25°", ">25°"],
                                       "farmland_m2": farm.groupby("slope_class").area_m2.sum().to_numpy(),
                                       "total_m2": patches.groupby("slope_class").area_m2.sum().to_numpy(), "share": 0.2}),
        "idle_land": pd.DataFrame({"patch_id": ["P00001", "P00002", "P00003"], "village_code": "", "kind": ["vacant", "vacant", "isolated_homestead"],
                                   "area_m2": [812.5, 400.25, 1500.0], "reason": "示例"}),
        "conflicts": pd.DataFrame({"layer_a": ["basic_farmland"], "layer_b": ["urban_boundary"], "overlap_m2": [15_234.5], "pairs": [6], "rule_id": ["Z-13"]}),
        "potential_summary": pd.DataFrame({"measure": ["restore_farmland", "reclaim_homestead"], "zh": ["园林地恢复耕地", "闲置宅基地复垦"], "patches": [320, 41],
                                           "area_m2": [4_500_000.0, 520_000.0], "cost_low_yuan": [33e6, 11e6], "cost_yuan": [81e6, 27e6],
                                           "cost_high_yuan": [120e6, 62e6], "blocked_patches": [12, 3], "blocked_m2": [150_000.0, 31_000.0]}),
        "indicators": _indicators(farm, new),
        "flow_matrix": pd.DataFrame({"from_class": patches.class_code, "to_class": after, "area_m2": patches.area_m2, "n": 1})
        .groupby(["from_class", "to_class"], as_index=False).agg(patches=("n", "sum"), area_m2=("area_m2", "sum")).round(2),
        "balance": pd.DataFrame({"item": ["耕地", "建设用地"], "before_m2": [farm.area_m2.sum(), 3e6], "increase_m2": [new.area_m2.sum(), 0.0],
                                 "decrease_m2": [0.0, 2.5e5], "after_m2": [farm.area_m2.sum() + new.area_m2.sum(), 2.75e6],
                                 "net_m2": [new.area_m2.sum(), -2.5e5]}).round(2),
        "verdicts": _verdicts(),
        "plan_parcel": pd.DataFrame(plan.drop(columns="geometry")),
        "subproject": _subprojects(works, names, total),
        "cost_by_measure": costs,
        "year_plan": _years(works, total),
        "funding": pd.DataFrame([(s, y, round(total / 3 * p, 2)) for y in (2026, 2027, 2028) for s, p in (("中央财政资金", 0.3), ("市县财政资金", 0.5), ("社会资本", 0.2))],
                                columns=["source", "year", "yuan"]),
        "certificate": _certificate(len(plan)),
        "faults_summary": pd.DataFrame({"rule": ["D-05", "D-07"], "severity": ["warning", "info"], "what": ["sliver", "below_minimum_area"], "count": [17, 240]}),
        "lineage": pd.DataFrame({"dataset": ["landuse_patch", "village"], "source": ["DLTB.gdb", "规则生成"], "sha256": ["ab" * 32, ""], "crs": CRS,
                                 "class_scheme": ["SD3", ""], "vintage": ["2023", "2026"], "synthetic": [False, True], "rows": [len(patches), 8]}),
    }  # fmt: skip


def _structure(patches: gpd.GeoDataFrame) -> pd.DataFrame:
    big = {"0702": "建设用地", "1003": "建设用地", "0404": "未利用地", "1101": "未利用地", "1206": "未利用地"}
    sums = patches.groupby("class_code", as_index=False).agg(patches=("patch_id", "size"), area_m2=("area_m2", "sum"), class_area_m2=("class_area_m2", "sum"))
    names, kinds = sums.class_code.map(NAMES), sums.class_code.map(big).fillna("农用地")
    return sums.assign(class_name=names, big_class=kinds, share=sums.class_area_m2 / sums.class_area_m2.sum()).round({"area_m2": 2, "class_area_m2": 2})


def _by_village(patches: gpd.GeoDataFrame, names: dict[str, str]) -> pd.DataFrame:
    groups = {"01": "farmland", "02": "garden", "03": "forest", "04": "grass", "07": "construction", "10": "transport", "11": "water"}
    kind = patches.class_code.str[:2].map(groups).fillna("other")
    wide = patches.groupby(["village_code", kind]).area_m2.sum().round(2).unstack(fill_value=0.0)
    order = ["farmland", "garden", "forest", "grass", "wetland", "construction", "transport", "water", "other"]
    wide = wide.reindex(columns=order, fill_value=0.0).add_suffix("_m2")
    wide["total_m2"] = wide.sum(axis=1).round(2)
    wide = wide.rename_axis(columns=None).reset_index()
    wide.insert(1, "village_name", wide.village_code.map(names))
    return wide


def _fragments(farm: gpd.GeoDataFrame, names: dict[str, str]) -> pd.DataFrame:
    def row(code: str, name: str, part: gpd.GeoDataFrame) -> dict[str, Any]:
        small = part[part.area_m2 < 2000]
        return {"village_code": code, "village_name": name, "patches": len(part), "area_m2": round(part.area_m2.sum(), 2), "mean_patch_m2": part.area_m2.mean(),
                "small_patches": len(small), "small_area_m2": round(small.area_m2.sum(), 2), "small_share": small.area_m2.sum() / part.area_m2.sum(),
                "patch_density_per_km2": 61.5, "effective_mesh_ha": 3.21, "area_weighted_shape": 1.0831, "simpson": 0.98}  # fmt: skip

    rows = [row(c, names[c], farm[farm.village_code == c]) for c in sorted(set(farm.village_code))]
    return pd.DataFrame([*rows, row("", "合计", farm)])


def _indicators(farm: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> pd.DataFrame:
    rows = [
        ("farmland_area", "耕地面积", "亩", farm.area_m2.sum() * 0.0015, (farm.area_m2.sum() + new.area_m2.sum()) * 0.0015, "jingshan"),
        ("small_patches", "3亩以下图斑数", "个", 180, 96, "jingshan"),
        ("basic_farmland_area", "永久基本农田面积", "亩", 5000.0, 5000.0, "jingshan"),
        ("inefficient_land_revitalised", "盘活低效用地", "亩", 0.0, 31.5, "jingshan"),
        ("stock_construction_revitalised", "盘活存量建设用地", "亩", 0.0, 12.25, "jingshan"),
        ("effective_mesh", "有效网格面积", "公顷", 3.21, 5.4, "general"),
    ]
    table = pd.DataFrame(rows, columns=["key", "zh", "unit", "before", "after", "group"])
    return table.assign(change=table.after - table.before, change_pct=0.0, source="示例")


def _verdicts() -> pd.DataFrame:
    rows = [
        ("Z-01", "新增耕地面积原则上不少于原有耕地面积的5%", "pass", 0.31, "0.05", ">=", "ratio", "富余 2000 亩", "新增 100/耕地 300", "hard", "high", ""),
        ("Z-12", "不突破生态保护红线", "fail", 1250.5, "0", "==", "m2", "超出 1250.50 m2", "重叠 1250.50 m2", "hard", "high", ""),
        ("Z-03", "调整规模原则上不超过所涉乡镇永久基本农田面积的一定比例", "needs_confirmation", 0.06, "0.05", "<=", "ratio", "超出 1%", "", "hard", "medium", ""),
        ("Z-16", "尊重农民意愿,不得强迫搬迁、大拆大建", "no_data", None, "consent 0.667", "", "ratio", "", "", "soft", "medium", "村民表决记录"),
    ]
    columns = ["rule_id", "text_zh", "verdict", "value", "threshold", "comparator", "unit", "margin", "numbers", "severity", "confidence", "missing"]
    return pd.DataFrame(rows, columns=columns).assign(source="own knowledge (自然资发〔2019〕194号)")


def _costs(works: gpd.GeoDataFrame) -> pd.DataFrame:
    zh = {"restore_farmland": "园林地恢复耕地", "reclaim_homestead": "闲置宅基地复垦", "merge_fields": "田块归并平整", "afforest": "造林绿化"}
    kind = {"reclaim_homestead": "建设用地整理", "afforest": "生态保护修复"}
    sums = works.groupby("measure", as_index=False).agg(patches=("patch_id", "size"), area_m2=("area_m2", "sum"), works_yuan=("cost_yuan", "sum")).round(2)
    fees = (sums.works_yuan * 0.16).round(2)
    total = (sums.works_yuan + fees).round(2)
    return sums.assign(zh=sums.measure.map(zh), project_class=sums.measure.map(kind).fillna("农用地整理"), unit_cost_item="C-X", fees_yuan=fees,
                       total_low_yuan=(total * 0.5).round(2), total_yuan=total, total_high_yuan=(total * 2).round(2))  # fmt: skip


def _subprojects(works: gpd.GeoDataFrame, names: dict[str, str], total: float) -> pd.DataFrame:
    sums = works.groupby(["subproject_id", "measure", "village_code"], as_index=False).agg(patches=("patch_id", "size"), area_m2=("area_m2", "sum")).round(2)
    kind = {"reclaim_homestead": "建设用地整理", "afforest": "生态保护修复"}
    village = sums.village_code.map(names)
    return sums.assign(project_class=sums.measure.map(kind).fillna("农用地整理"), village_name=village, name=village + "整治子项目",
                       new_farmland_m2=(sums.area_m2 * 0.5).round(2), cost_yuan=(total * sums.area_m2 / sums.area_m2.sum()).round(2), start_year=2026, end_year=2028)  # fmt: skip


def _years(works: gpd.GeoDataFrame, total: float) -> pd.DataFrame:
    sums = works.groupby("year", as_index=False).agg(subprojects=("subproject_id", "nunique"), area_m2=("area_m2", "sum")).round(2)
    return sums.assign(new_farmland_m2=(sums.area_m2 * 0.5).round(2), cost_yuan=(total / len(sums)))


def _certificate(n: int) -> dict[str, Any]:
    return {
        "objective": 1234.5, "objective_keep_all": 0.0, "bound": 1235.1, "gap_abs": 0.6, "gap_rel": 0.6 / 1235.1, "cases": 1, "case": 0, "method": "割与价格", "solver": "HiGHS in scipy.optimize",
        "time_s": 2.4, "n_parcels": n, "n_options": 1234, "n_changed": 600, "waived": [],
        "limits": [
            {"id": "budget", "rule_id": "", "zh": "投资不超过预算", "value": 9.9e7, "relation": "<=", "bound": 1e8, "slack": 1e6, "price": 0.0, "unit": "元"},
            {"id": "new_farmland", "rule_id": "Z-01", "zh": "新增耕地不少于5%", "value": 5e5, "relation": ">=", "bound": 5e5, "slack": 0.0, "price": 0.01234, "unit": "m2"},
        ],
        "checks": [{"id": "objective", "zh": "得分可复算", "ok": True, "found": 1234.5, "expected": 1234.5},
                   {"id": "bound", "zh": "上界可复算", "ok": True, "found": 1235.1, "expected": 1235.1}],
    }  # fmt: skip


@pytest.fixture(scope="session")
def layers() -> dict[str, gpd.GeoDataFrame]:
    """Invented layers, small."""
    return invented_layers(300)


@pytest.fixture(scope="session")
def plan(layers: dict[str, gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """Invented plan of the layers."""
    return invented_plan(layers["landuse_patch"])


@pytest.fixture(scope="session")
def results(layers: dict[str, gpd.GeoDataFrame], plan: gpd.GeoDataFrame) -> dict[str, Any]:
    """Invented results of the plan."""
    return invented_results(layers, plan)

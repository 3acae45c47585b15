"""Radar files of four makers: written byte by byte here, read back; cut, wrong or ambiguous files are refused."""

import struct

import numpy as np
import pytest

from qianmo.schema.errors import ChoiceNeededError, MissingDataError, QianmoError, SchemaError, UnsafeInputError
from qianmo.store.guard_limits import default_limits
from qianmo.store.read_radar import read_radar

SAMPLES, TRACES = 64, 12
WAVE = (1000 * np.sin(np.arange(SAMPLES)[:, None] / 5.0) + 10 * np.arange(TRACES)).astype(np.int16)


def _read(path, **more):
    return read_radar(path, limits=default_limits(), **more)


def dzt(folder, *, bits=16, per_m=50.0, tag=0x00FF, channels=1, window=80.0, blocks=1, samples=SAMPLES, keep=None):
    head = bytearray(1024 * max(blocks, 1))
    struct.pack_into("<4Hh2f", head, 0, tag, blocks, samples, bits, 0, 100.0, per_m)
    struct.pack_into("<f", head, 22, -4.0)
    struct.pack_into("<f", head, 26, window)
    struct.pack_into("<H", head, 52, channels)
    head[98:105] = b"5100XXX"
    shifted = WAVE.T.astype(np.int64)
    rows = np.concatenate([shifted + 3 * c for c in range(channels)], axis=1)
    data = rows.astype("<i4").tobytes() if bits == 32 else (rows + (1 << (bits - 1))).astype("<u2" if bits == 16 else "u1").tobytes()
    path = folder / "线.dzt"
    path.write_bytes((bytes(head) + data)[:keep])
    return path


HD = """1234
PULSEEKKO
GPR survey
NUMBER OF TRACES   = 12
NUMBER OF PTS/TRC  = 64
TIMEZERO AT POINT  = 8
TOTAL TIME WINDOW  = 80.0
STARTING POSITION  = 0.0
FINAL POSITION     = 2.2
STEP SIZE USED     = 0.2
POSITION UNITS     = m
NOMINAL FREQUENCY  = 100.0
ANTENNA SEPARATION = 1.0
"""


def dt1(folder, *, head=HD, keep=None, points=SAMPLES):
    rows = np.zeros(TRACES, dtype=np.dtype([("head", "<f4", 25), ("words", "S28"), ("wave", "<i2", SAMPLES)]))
    rows["head"][:, 0], rows["head"][:, 1], rows["head"][:, 2], rows["head"][:, 5] = np.arange(TRACES) + 1, 0.2 * np.arange(TRACES), points, 2
    rows["wave"] = WAVE.T
    (folder / "线.HD").write_text(head, encoding="utf-8")
    path = folder / "线.DT1"
    path.write_bytes(rows.tobytes()[:keep])
    return path


RAD = """SAMPLES:64
FREQUENCY:800.000000
DISTANCE INTERVAL:0.050000
ANTENNAS:250 MHz shielded
ANTENNA SEPARATION:0.310000
TIMEWINDOW:80.0
LAST TRACE:12
START POSITION:5.0
"""


def rd(folder, *, suffix=".rd3", head=RAD, keep=None):
    (folder / "线.rad").write_text(head, encoding="utf-8")
    path = folder / f"线{suffix}"
    path.write_bytes(WAVE.T.astype("<i2" if suffix == ".rd3" else "<i4").tobytes()[:keep])
    return path


def segy(folder, *, form=3, samples=SAMPLES, interval=1250, coordinates=True, keep=None, units=1):
    head = bytearray(3600)
    struct.pack_into(">h", head, 3216, interval)
    struct.pack_into(">h", head, 3220, samples)
    struct.pack_into(">h", head, 3224, form)
    out = bytes(head)
    for k in range(TRACES):
        trace = bytearray(240)
        struct.pack_into(">h", trace, 114, SAMPLES)
        if coordinates:
            struct.pack_into(">h", trace, 70, -100)
            struct.pack_into(">ii", trace, 72, 20 * k, 1000)
            struct.pack_into(">h", trace, 88, units)
        wave = WAVE[:, k].astype(float)
        out += bytes(trace) + (_ibm(wave) if form == 1 else wave.astype({2: ">i4", 3: ">i2", 5: ">f4", 8: "i1"}[form]).tobytes())
    path = folder / "线.sgy"
    path.write_bytes(out[:keep])
    return path


def _ibm(values):
    words = []
    for v in values:
        sign, v, exponent = (1 << 31 if v < 0 else 0), abs(v), 64
        while v >= 1:
            v, exponent = v / 16, exponent + 1
        while v and v < 1 / 16:
            v, exponent = v * 16, exponent - 1
        words.append(0 if v == 0 else sign | exponent << 24 | int(v * 2**24))
    return struct.pack(f">{len(words)}I", *words)


def test_a_dzt_is_read_with_its_window_spacing_and_offset(tmp_path):
    for bits in (16, 32):
        found = _read(dzt(tmp_path, bits=bits))
        assert np.array_equal(found.amplitude[2:], WAVE[2:]) and np.array_equal(found.amplitude[0], found.amplitude[2])
        assert found.sample_ns == pytest.approx(1.25) and found.start_ns == -4.0 and found.position_m[-1] == pytest.approx(0.22)
        assert "5100XXX" in found.notes[0] and len(found.sha256) == 64
    second = _read(dzt(tmp_path, channels=2, blocks=2), channel=1)
    assert np.array_equal(second.amplitude[2:], WAVE[2:] + 3)
    assert _read(dzt(tmp_path, per_m=0.0), spacing_m=0.03).position_m[1] == pytest.approx(0.03)


def test_a_dt1_is_read_with_its_header_file_whatever_the_case_of_its_name(tmp_path):
    found = _read(dt1(tmp_path))
    assert np.array_equal(found.amplitude, WAVE) and found.sample_ns == 1.25 and found.start_ns == pytest.approx(-10.0)
    assert found.antenna_mhz == 100.0 and found.separation_m == 1.0 and found.position_m == pytest.approx(0.2 * np.arange(TRACES), abs=1e-6)
    feet = _read(dt1(tmp_path, head=HD.replace("= m\n", "= ft\n")))
    assert feet.position_m[-1] == pytest.approx(2.2 * 0.3048, rel=1e-6) and "英尺" in feet.notes[0]


def test_rd3_and_rd7_are_read(tmp_path):
    for suffix in (".rd3", ".rd7"):
        found = _read(rd(tmp_path, suffix=suffix))
        assert np.array_equal(found.amplitude, WAVE) and found.sample_ns == 1.25 and found.antenna_mhz == 250.0
        assert found.position_m[[0, -1]] == pytest.approx([5.0, 5.55])


@pytest.mark.parametrize("form", [1, 2, 3, 5])
def test_segy_is_read_in_each_number_format_once_the_unit_is_said(tmp_path, form):
    found = _read(segy(tmp_path, form=form), segy_time_unit="ps")
    assert np.allclose(found.amplitude, WAVE, rtol=1e-6, atol=1e-3) and found.sample_ns == 1.25 and found.position_m[-1] == pytest.approx(2.2)


def test_segy_without_a_unit_shows_what_each_would_mean(tmp_path):
    with pytest.raises(ChoiceNeededError, match="ps: 时窗 80 ns"):
        _read(segy(tmp_path))


@pytest.mark.parametrize(
    ("make", "more", "kind", "says"),
    [
        (lambda f: dzt(f, keep=900), {}, SchemaError, "文件头不完整"), (lambda f: dzt(f, keep=-31), {}, SchemaError, "11 整道余 97"),
        (lambda f: dzt(f, keep=1024), {}, SchemaError, "截断"), (lambda f: dzt(f, tag=0x4D4D), {}, SchemaError, "DZT 文件头标志"),
        (lambda f: dzt(f, bits=12), {}, SchemaError, "位数 12"), (lambda f: dzt(f, per_m=0.0), {}, MissingDataError, "道间距"),
        (lambda f: dzt(f, window=-5.0), {}, SchemaError, "时窗"), (lambda f: dzt(f, window=80e3), {}, SchemaError, "ps"),
        (lambda f: dzt(f), {"channel": 3}, SchemaError, "通道 3"), (lambda f: dzt(f), {"spacing_m": 20.0}, SchemaError, "给定道间距 20"),
        (lambda f: dt1(f, keep=-1), {}, SchemaError, "11 整道余 255"), (lambda f: dt1(f, head=HD.replace("= 12", "= 15")), {}, SchemaError, "15 道"),
        (lambda f: dt1(f, head=HD.replace("= m\n", "= chains\n")), {}, SchemaError, "POSITION UNITS"), (lambda f: dt1(f, head=HD.replace("TOTAL TIME WINDOW  = 80.0\n", "")), {}, SchemaError, "缺 TOTAL"),
        (lambda f: dt1(f, points=60), {}, SchemaError, "道头与文件头不符"), (lambda f: rd(f, keep=100), {}, SchemaError, "0 整道余 100"),
        (lambda f: rd(f, head=RAD.replace("800.0", "0.8")), {}, SchemaError, "MHz"), (lambda f: rd(f, head=RAD.replace("SAMPLES:64", "SAMPLES:viele")), {}, SchemaError, "SAMPLES"),
        (lambda f: rd(f, head=RAD.replace("LAST TRACE:12", "LAST TRACE:9")), {}, SchemaError, "9 道"), (lambda f: rd(f, head=RAD.replace("0.050000", "-0.05")), {}, SchemaError, "DISTANCE INTERVAL"),
        (lambda f: segy(f, keep=3000), {}, SchemaError, "文件头不完整"), (lambda f: segy(f, keep=-7), {"segy_time_unit": "ps"}, SchemaError, "截断"),
        (lambda f: segy(f, form=3, samples=60), {"segy_time_unit": "ps"}, SchemaError, "截断|不符"), (lambda f: segy(f, coordinates=False), {"segy_time_unit": "ps"}, MissingDataError, "坐标"),
        (lambda f: segy(f, units=2), {"segy_time_unit": "ps"}, SchemaError, "经纬度"), (lambda f: segy(f), {"segy_time_unit": "us"}, SchemaError, "ps"),
    ],
)  # fmt: skip
def test_a_file_that_is_cut_or_contradicts_itself_is_refused(tmp_path, make, more, kind, says):
    with pytest.raises(kind, match=says):
        _read(make(tmp_path), **more)


def test_a_missing_header_a_link_and_another_kind_of_file_are_refused(tmp_path):
    path = rd(tmp_path)
    (tmp_path / "线.rad").unlink()
    with pytest.raises(MissingDataError, match=r"线\.rad"):
        _read(path)
    (tmp_path / "a.dzt").symlink_to(path)
    with pytest.raises(UnsafeInputError, match="链接"):
        _read(tmp_path / "a.dzt")
    (tmp_path / "b.mat").write_bytes(b"x")
    with pytest.raises(UnsafeInputError, match="扩展名"):
        _read(tmp_path / "b.mat")
    with pytest.raises(MissingDataError):
        _read(tmp_path / "nothing.dzt")


def test_any_cut_of_any_file_is_an_error_or_never_a_longer_answer(tmp_path):
    for make, more in ((dzt, {}), (dt1, {}), (rd, {}), (segy, {"segy_time_unit": "ps"})):
        whole = make(tmp_path).read_bytes()
        for cut in np.random.default_rng(0).integers(0, len(whole), 40):
            path = make(tmp_path, keep=int(cut))
            try:
                found = _read(path, **more)
            except QianmoError:
                continue
            assert make in (dzt, segy) and found.amplitude.shape[1] < TRACES  # a cut at the end of a trace cannot be seen where no header counts them

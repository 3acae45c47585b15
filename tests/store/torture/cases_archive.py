"""Archives and places: zip tricks, links, names, unknown files."""

# One case a line, as in a table.

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from case import Case, Check, accept, refuse
from cases_text import KML, VRT
from shapefile_bytes import Dbf, Shapes, write_set

from qianmo.store.raw import Reading

__all__ = ["archive_cases"]

Build = Callable[[Path], Path]
GOOD = {"图斑.shp": Shapes().shp(), "图斑.shx": Shapes().shx(), "图斑.dbf": Dbf().bytes()}


def archive_cases() -> list[Case]:
    """All cases that are archives or odd places."""
    return [*_good(), *_names(), *_contents(), *_structure(), *_places()]


def _zip(members: dict[str, bytes], *, name: str = "资料.zip", **each: int) -> Build:
    def build(folder: Path) -> Path:
        (folder / name).write_bytes(_packed(members, **each))
        return folder / name

    return build


def _packed(members: dict[str, bytes], *, attributes: int = 0, system: int = 3, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip made by the standard library."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type, info.external_attr, info.create_system = method, attributes << 16, system
            archive.writestr(info, content)
    return made.getvalue()


def _gbk_zip(members: dict[str, bytes]) -> Build:
    """A zip whose names are GBK bytes without the UTF-8 flag, as many Chinese programs write them."""

    def build(folder: Path) -> Path:
        made, central = b"", b""
        for name, content in members.items():
            raw, crc = name.encode("gbk"), zipfile.crc32(content)
            central += (
                struct.pack(
                    "<4s6H3I5H2I",
                    b"PK\x01\x02",
                    20,
                    20,
                    0,
                    0,
                    0,
                    0x21,
                    crc,
                    len(content),
                    len(content),
                    len(raw),
                    0,
                    0,
                    0,
                    0,
                    0,
                    len(made),
                )
                + raw
            )
            made += (
                struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 0x21, crc, len(content), len(content), len(raw), 0)
                + raw
                + content
            )
        end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, len(members), len(members), len(central), len(made), 0)
        (folder / "资料.zip").write_bytes(made + central + end)
        return folder / "资料.zip"

    return build


def _layers(*names: str, rows: int = 3) -> Check:
    def check(read: list[Reading]) -> None:
        assert sorted(x.name for r in read for x in r.layers) == sorted(names)
        assert all(len(x.frame) == rows for r in read for x in r.layers)

    return check


def _good() -> list[Case]:
    other = {"说明.txt": b"hello", "图斑.prj": b"", "__MACOSX/._图斑.shp": b"x", ".DS_Store": b"x"}
    kml = KML.format("").encode()
    return [
        accept("zip of a shapefile", _zip(GOOD), check=_layers("图斑"), encoding="gbk"),
        accept("zip with gbk names and no flag", _gbk_zip(GOOD), check=_layers("图斑"), encoding="gbk"),
        accept("zip with folders", _zip({f"某县/2023年/{k}": v for k, v in GOOD.items()}), check=_layers("图斑"), encoding="gbk"),
        accept("zip with read-me and system files", _zip(GOOD | other), check=_layers("图斑"), encoding="gbk"),
        accept("zip of two sets", _zip(GOOD | {k.replace("图斑", "村界"): v for k, v in GOOD.items()}), check=_layers("图斑", "村界"), encoding="gbk"),
        accept("kmz", _zip({"doc.kml": kml}, name="a.kmz"), check=lambda r: _layers(r[0].layers[0].name, rows=1)(r)),
        accept("stored zip", _zip(GOOD, method=zipfile.ZIP_STORED), check=_layers("图斑"), encoding="gbk"),
    ]  # fmt: skip


def _names() -> list[Case]:
    shp = Shapes().shp()
    return [
        refuse("zip member with ..", _zip({"../../../evil.shp": shp}), "UnsafeInputError", "outside the archive"),
        refuse("zip member with an absolute name", _zip({"/etc/evil.shp": shp}), "UnsafeInputError", "outside the archive"),
        refuse("zip member with a backslash", _gbk_zip({"..\\evil.shp": shp}), "UnsafeInputError", "outside the archive"),
        refuse("zip member with a drive", _zip({"C:evil.shp": shp}), "UnsafeInputError", "outside the archive"),
        refuse("zip member with a dot folder", _zip({"a/./b.shp": shp}), "UnsafeInputError", "outside the archive"),
        refuse("zip member named twice", _twice("a.shp", "a.shp"), "UnsafeInputError", "two members"),
        refuse("zip members that differ by case", _zip({"a.shp": shp, "A.SHP": shp}), "UnsafeInputError", "two members"),
        refuse("zip members that look alike", _zip({"图斑1.shp": shp, "图斑１.shp": shp}), "UnsafeInputError", "two members"),
        refuse("zip member with NUL", _gbk_zip({"a.shp\x00.txt": shp}), "UnsafeInputError", "NUL"),
        refuse("zip member of 300 bytes", _zip({"长" * 100 + ".shp": shp}), "UnsafeInputError", "304 bytes", "rename"),
        refuse("zip member with bidirectional marks", _zip({"a\u202epihs.shp": shp}), "UnsafeInputError", "bidirectional"),
        refuse("zip member with zero-width marks", _zip({"a\u200b.shp": shp}), "UnsafeInputError", "zero-width"),
        refuse("zip member with a reserved name", _zip({"CON.shp": shp}), "UnsafeInputError", "reserved"),
        refuse("zip member with a trailing dot", _zip({"a.shp.": shp}), "UnsafeInputError", "reserved"),
        refuse("zip member thirty folders deep", _zip({"a/" * 30 + "b.shp": shp}), "UnsafeInputError", "folders deep"),
        refuse("zip member that pretends to be a virtual path", _zip({"vsi|x.shp": shp}), "UnsafeInputError", "reserved"),
    ]  # fmt: skip


def _twice(*names: str) -> Build:
    def build(folder: Path) -> Path:
        raw = _packed({"aaaaa.shp"[: len(names[0])]: b"1", "b" * len(names[1]): b"2"})
        (folder / "资料.zip").write_bytes(
            raw.replace(b"b" * len(names[1]), names[1].encode()).replace(b"aaaaa.shp"[: len(names[0])], names[0].encode())
        )
        return folder / "资料.zip"

    return build


def _contents() -> list[Case]:
    inner = _packed(GOOD)
    vrt = VRT.format("/etc/passwd").encode()
    return [
        refuse("zip in zip", _zip({"inner.zip": inner}), "UnsafeInputError", "archive in the archive", "unpack"),
        refuse("zip in zip under another name", _zip({"图斑.shp": inner}), "UnsafeInputError", "under another name"),
        refuse("gzip in zip under another name", _zip({"图斑.dbf": b"\x1f\x8b\x08\x00" + bytes(50), "图斑.shp": Shapes().shp()}), "UnsafeInputError", "under another name"),
        refuse("vrt in zip", _zip({"a.vrt": vrt}), "UnsafeInputError", "VRT"),
        refuse("vrt named geojson in zip", _zip({"a.geojson": vrt}), "UnsafeInputError", "VRT"),
        refuse("vrt named kml in kmz", _zip({"doc.kml": vrt}, name="a.kmz"), "UnsafeInputError", "VRT"),
        refuse("program in zip", _zip(GOOD | {"setup.exe": b"MZ\x90"}), "UnsafeInputError", ".exe"),
        refuse("zip without data", _zip({"说明.txt": b"hello"}), "MissingDataError", "no data set"),
        refuse("zip with a dbf alone", _zip({"图斑.dbf": Dbf().bytes()}), "MissingDataError", "no .shp"),
        refuse("zip with a shapefile cut short", _zip(GOOD | {"图斑.shp": Shapes().shp()[:-50]}), "UnsafeInputError", "truncated"),
        refuse("encrypted zip", _encrypted(), "UnsafeInputError", "encrypted", "password"),
        refuse("bzip2 in zip", _zip(GOOD, method=zipfile.ZIP_BZIP2), "UnsafeInputError", "packing method 12"),
        refuse("lzma in zip", _zip(GOOD, method=zipfile.ZIP_LZMA), "UnsafeInputError", "packing method 14"),
        refuse("symlink in zip", _zip({"图斑.shp": b"/etc/passwd"}, attributes=0o120777), "UnsafeInputError", "link"),
        refuse("device in zip", _zip({"图斑.shp": b""}, attributes=0o020666), "UnsafeInputError", "device"),
    ]  # fmt: skip


def _encrypted() -> Build:
    def build(folder: Path) -> Path:
        raw = bytearray(_packed(GOOD))
        at = 0
        while (at := raw.find(b"PK\x01\x02", at)) >= 0:
            raw[at + 8] |= 1
            at += 4
        (folder / "资料.zip").write_bytes(bytes(raw))
        return folder / "资料.zip"

    return build


def _changed(change: Callable[[bytes], bytes], members: dict[str, bytes] | None = None, name: str = "资料.zip") -> Build:
    def build(folder: Path) -> Path:
        (folder / name).write_bytes(change(_packed(members or GOOD)))
        return folder / name

    return build


def _structure() -> list[Case]:
    blanks = {"blanks.csv": b" " * (20 << 20)}
    many = {f"f{i}.csv": b"" for i in range(60)}
    return [
        refuse("twenty megabytes of blanks in a small zip", _zip(blanks), "UnsafeInputError", "times its packed size", "bomb"),
        refuse("zip that declares a terabyte", _changed(_declared(0xFFFFFFF0)), "UnsafeInputError", "unpacks"),
        refuse("zip that unpacks beyond the limit", _zip(GOOD), "UnsafeInputError", "unpacks to", limits=(("guard_zip_total_max_mb", 0.0001),)),
        refuse("zip of too many members", _zip(many), "UnsafeInputError", "60 members", limits=(("guard_zip_entries_max", 50.0),)),
        refuse("zip that declares too few bytes", _changed(_declared(10)), "UnsafeInputError", "member"),
        refuse("zip whose members share bytes", _overlap(), "UnsafeInputError", "share the same bytes"),
        refuse("zip with a wrong checksum", _changed(lambda raw: raw.replace(zipfile.crc32(GOOD["图斑.shp"]).to_bytes(4, "little"), b"\x01\x02\x03\x04")), "UnsafeInputError", "cannot be unpacked"),
        refuse("pdf before a zip", _changed(lambda raw: b"%PDF-1.4\n%x\n" + raw), "UnsafeInputError", "PDF"),
        refuse("foreign bytes before a zip", _changed(lambda raw: b"PK\x03\x04" + bytes(60) + raw), "UnsafeInputError", "before or after"),
        refuse("foreign bytes after a zip", _changed(lambda raw: raw + b"<script>alert(1)</script>"), "UnsafeInputError", "zip"),
        refuse("zip cut short", _changed(lambda raw: raw[:-100]), "UnsafeInputError", "not a readable zip"),
        refuse("zip cut in its first half", _changed(lambda raw: raw[: len(raw) // 2]), "UnsafeInputError", "not a readable zip"),
        refuse("empty zip", _changed(lambda raw: b"PK\x05\x06" + bytes(18)), "UnsafeInputError", "empty"),
        refuse("rar named zip", _changed(lambda raw: b"Rar!\x1a\x07\x01\x00" + bytes(50)), "UnsafeInputError", "rar", "zip"),
        refuse("7z named zip", _changed(lambda raw: b"7z\xbc\xaf\x27\x1c" + bytes(50)), "UnsafeInputError", "7z"),
        refuse("gzip named shp", _changed(lambda raw: b"\x1f\x8b\x08" + bytes(50), name="a.shp"), "UnsafeInputError", "gzip", "unpack"),
        refuse("zip named tif", _changed(lambda raw: raw, name="a.tif"), "UnsafeInputError", "content is zip"),
        refuse("rar under its own name", _changed(lambda raw: b"Rar!\x1a\x07\x01\x00" + bytes(50), name="a.rar"), "UnsafeInputError", ".rar", "zip"),
        refuse("zip with another name in its local header", _changed(lambda raw: raw.replace("图斑.shp".encode(), "图班.shp".encode(), 1)), "UnsafeInputError", "cannot be unpacked"),
    ]  # fmt: skip


def _declared(size: int) -> Callable[[bytes], bytes]:
    def change(raw: bytes) -> bytes:
        at = raw.index(b"PK\x01\x02")
        return raw[: at + 24] + size.to_bytes(4, "little") + raw[at + 28 :]

    return change


def _overlap() -> Build:
    def change(raw: bytes) -> bytes:
        first = raw.index(b"PK\x01\x02")
        second = raw.index(b"PK\x01\x02", first + 4)
        return raw[: second + 42] + bytes(4) + raw[second + 46 :]

    return _changed(change)


def _places() -> list[Case]:
    def linked(folder: Path) -> Path:
        (folder / "a.csv").symlink_to(folder.parent / "secret.csv")
        return folder / "a.csv"

    def linked_part(folder: Path) -> Path:
        path = write_set(folder)
        path.with_suffix(".dbf").unlink()
        path.with_suffix(".dbf").symlink_to(folder.parent / "secret.csv")
        return path

    def linked_folder(folder: Path) -> Path:
        (folder / "link").symlink_to(folder.parent, target_is_directory=True)
        return folder / "link"

    def link_in_folder(folder: Path) -> Path:
        (folder / "up").mkdir()
        (folder / "up" / "a.csv").symlink_to(folder.parent / "secret.csv")
        return folder / "up"

    def pipe(folder: Path) -> Path:
        os.mkfifo(folder / "a.csv")
        return folder / "a.csv"

    def both(folder: Path) -> Sequence[Path]:
        path = write_set(folder)
        return [path, path]

    def empty_folder(folder: Path) -> Path:
        (folder / "空").mkdir()
        return folder / "空"

    def chinese(folder: Path) -> Path:
        (folder / "数据 测试").mkdir()
        write_set(folder / "数据 测试")
        return folder / "数据 测试"

    def named(name: str) -> Build:
        def build(folder: Path) -> Path:
            (folder / name).write_bytes(b"hello")
            return folder / name

        return build

    return [
        refuse("symlink to a secret", linked, "UnsafeInputError", "link", "copy"),
        refuse("symlink as one part of a set", linked_part, "UnsafeInputError", "link", encoding="gbk"),
        refuse("symlink to a folder", linked_folder, "UnsafeInputError", "link"),
        refuse("symlink inside a folder", link_in_folder, "UnsafeInputError", "link"),
        refuse("pipe", pipe, "UnsafeInputError", "pipe"),
        refuse("no such file", lambda folder: folder / "没有.shp", "MissingDataError", "no such file"),
        refuse("empty folder", empty_folder, "MissingDataError", "nothing to read"),
        refuse("unknown extension", named("a.xyz"), "UnsafeInputError", ".xyz", ".gpkg"),
        refuse("no extension", named("abc"), "UnsafeInputError", "(none)"),
        refuse("virtual file system path", lambda folder: Path("/vsicurl/http://127.0.0.1:9/a.geojson"), "MissingDataError", "no such file"),
        accept("the same upload twice", both, check=lambda r: _layers("图斑", "图斑")(r), encoding="gbk"),
        accept("folder with Chinese letters and blanks", chinese, check=_layers("图斑"), encoding="gbk"),
        refuse("file larger than the limit", write_set, "UnsafeInputError", "0 MB", "split", encoding="gbk", limits=(("guard_file_max_mb", 0.0001),)),
    ]  # fmt: skip

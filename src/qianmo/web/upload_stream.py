"""Files of a request go straight to the quarantine, chunk by chunk (流式上传)."""

from __future__ import annotations

import io
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest

from qianmo.jobs.queries.uploads import begin_upload
from qianmo.web.desk import project_folder

__all__ = ["QuarantineHandler"]


class QuarantineHandler(FileUploadHandler):
    """Writes each file under its own name into a hidden upload and refuses what is too large (隔离区上传处理)."""

    chunk_size = 1 << 20

    def __init__(self, request: HttpRequest | None = None, *, most_mb: float | None = None) -> None:
        super().__init__(request)
        self.half = begin_upload(project_folder(), most_mb=most_mb)

    def handle_raw_input(self, input_data: Any, META: dict[str, Any], content_length: int, boundary: bytes, encoding: str | None = None) -> None:
        """Refuse a request that says it is too large before it is read."""
        self.half.check_size(content_length)

    def new_file(self, *args: Any, **named: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **named)
        self.half.begin(str(self.file_name))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write a part of it."""
        self.half.add(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        """End it; the request holds its name and size alone."""
        self.half.end()
        return UploadedFile(io.BytesIO(), name=self.file_name, size=file_size)

    def upload_interrupted(self) -> None:
        """The browser went away: nothing stays."""
        self.half.drop()

"""The command: one sub-command a job, errors in words with their own exit code."""

import errno
import json
import re
import socket

import pytest

from qianmo.cli.main import build_parser, main
from qianmo.jobs.registry import job_specs


def test_every_job_has_a_command_with_all_its_options():
    commands = next(a for a in build_parser()._actions if a.dest == "job").choices
    for spec in job_specs():
        have = {a.dest for a in commands[spec.name]._actions}
        assert {o.name for o in spec.options} <= have


def test_a_missing_project_is_an_error_in_words(capsys, tmp_path):
    assert main(["evaluate", "--quiet", str(tmp_path / "none")]) == 2
    said = capsys.readouterr().err
    assert "没有项目" in said and "qianmo ingest" in said


def test_a_missing_source_names_the_file(capsys, tmp_path):
    assert main(["ingest", "--quiet", str(tmp_path / "无此文件.shp"), "--into", str(tmp_path / "p")]) in (2, 5)
    assert "无此文件" in capsys.readouterr().err and not (tmp_path / "p").exists()


def test_a_disk_that_cannot_be_written_is_an_error_in_words(capsys, tmp_path, monkeypatch, repo):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("qianmo.store.stage.Stage.put_layer", full)
    folder = tmp_path / "p"
    assert main(["ingest", "--quiet", "--recipe", str(repo / "examples/youwuzhen/ingest.toml"), "--into", str(folder)]) == 6
    said = capsys.readouterr().err
    assert "磁盘已满" in said and "项目保持原状" in said and "办法" in said
    assert not folder.exists()


def test_a_list_of_numbers_may_begin_below_zero(capsys, tmp_path):
    (tmp_path / "empty").mkdir()
    for words in (["--reference", "-99.13,19.39"], ["--reference=-99.13,19.39"]):
        assert main(["motion", str(tmp_path / "empty"), "--into", str(tmp_path / "p"), "--incidence", "39", *words, "--quiet"]) == 2
        said = capsys.readouterr().err
        assert "后面需要一个值" not in said and "未完成" in said


def test_help_is_in_chinese(capsys):
    with pytest.raises(SystemExit):
        main(["ingest", "--help"])
    said = capsys.readouterr().out
    assert "用法" in said and "选项" in said and "显示本帮助" in said
    assert "[()]" not in said and "positional arguments" not in said


def test_the_main_command_without_words_prints_help(capsys):
    assert main([]) == 2
    assert "ingest" in capsys.readouterr().out


@pytest.fixture
def no_network(monkeypatch):
    """Any socket that is not local ends the test."""

    def refuse(*_, **__):
        raise AssertionError("the program tried to use the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_the_main_job_runs_with_the_network_cut(no_network, tmp_path, repo, capsys):
    assert main(["ingest", "--quiet", "--recipe", str(repo / "examples/youwuzhen/ingest.toml"), "--into", str(tmp_path / "p")]) == 0
    assert main(["evaluate", "--quiet", str(tmp_path / "p")]) == 0
    assert main(["plan", "--quiet", str(tmp_path / "p")]) == 0
    said = capsys.readouterr().out
    assert "独立核验" in said and "全部一致" in said
    assert main(["book", "--quiet", str(tmp_path / "p")]) == 0
    assert main(["status", str(tmp_path / "p")]) == 0
    assert "[合成]" in capsys.readouterr().out
    assert main(["undo", str(tmp_path / "p")]) == 0
    assert main(["history", str(tmp_path / "p")]) == 0
    assert "编制方案" in capsys.readouterr().out


def test_limits_that_cannot_hold_together_are_named(tmp_path, repo, capsys):
    main(["ingest", "--quiet", "--recipe", str(repo / "examples/youwuzhen/ingest.toml"), "--into", str(tmp_path / "p")])
    main(["evaluate", "--quiet", str(tmp_path / "p")])
    capsys.readouterr()
    assert main(["plan", "--quiet", str(tmp_path / "p"), "--budget", "1"]) == 4
    said = capsys.readouterr().err
    assert "Z-01" in said and "冲突约束" in said
    assert "没有方案能同时满足全部约束" in said and "应不超过 10,000.00 元" in said and "其余约束不变时可达" in said
    assert not re.search("needs|attainable|missing|obeys", said)
    assert main(["plan", "--quiet", str(tmp_path / "p"), "--rule", "Z-01"]) == 2


def test_a_new_evaluation_takes_the_old_plan_out(tmp_path, repo, capsys):
    folder = str(tmp_path / "p")
    main(["ingest", "--quiet", "--recipe", str(repo / "examples/youwuzhen/ingest.toml"), "--into", folder])
    for words in (["evaluate", "--quiet", folder], ["plan", "--quiet", folder], ["evaluate", "--quiet", folder]):
        assert main(words) == 0
    capsys.readouterr()
    assert main(["status", folder]) == 0
    assert "plan_parcel" not in capsys.readouterr().out
    assert main(["book", "--quiet", folder]) == 2
    assert "qianmo plan" in capsys.readouterr().err


def test_json_gives_one_object_for_a_result_and_for_an_error(capsys, tmp_path):
    assert main(["status", "--json", str(tmp_path / "none")]) == 2
    said = json.loads(capsys.readouterr().out)
    assert said["error"]["kind"] == "MissingDataError" and said["exit_code"] == 2 and said["ok"] is False
    assert set(said["error"]) == {"kind", "found", "expected", "cure"}
    assert main(["village", "--json", "--quiet", "--into", str(tmp_path / "p"), "--patches", "300", "--villages", "2"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"job", "ok", "lines", "files", "figures", "notes"}


def test_a_family_of_commands_names_its_members_and_refuses_an_unknown_one(capsys):
    assert main(["finance"]) == 2
    assert "后面需要一个子命令" in capsys.readouterr().err
    assert main(["finance", "none"]) == 2
    assert "没有子命令 none" in capsys.readouterr().err
    assert main(["finance", "--help"]) == 0
    assert "项目资金" in capsys.readouterr().out

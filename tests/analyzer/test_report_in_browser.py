"""The report as a browser sees it: figures there, no error, no request to anywhere."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from affetti.analyzer.report import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs the Debian package chromium")


def browse(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu"]
    command += ["--enable-logging=stderr", "--v=0", f"--user-data-dir={page.parent / 'profile'}"]
    command += [*options, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


@pytest.fixture(scope="module")
def page(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(recording, tmp_path_factory.mktemp("report") / "report.html")


def test_figures_are_there_and_the_console_is_silent(page: Path) -> None:
    done = browse(page, "--dump-dom")
    assert "CONSOLE" not in done.stderr
    assert done.stdout.count('role="img"') == 11
    assert len(re.findall(r"<polygon points=\"[\d.,\- ]+\" class=\"happiness\"", done.stdout)) >= 3


@pytest.mark.campaign
def test_notes_are_text_in_the_browser_too(page: Path) -> None:
    dom = browse(page, "--dump-dom").stdout
    assert "<script" not in dom
    assert "&lt;script&gt;document.title" in dom
    assert "<title>run</title>" not in dom


@pytest.mark.campaign
def test_the_page_asks_the_network_for_nothing(page: Path, tmp_path: Path) -> None:
    log = tmp_path / "net.json"
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
    browse(page, f"--log-net-log={log}", *quiet, "--dump-dom")
    content = json.loads(log.read_text())
    kinds = {number: name for name, number in content["constants"]["logEventTypes"].items()}
    asked = [
        event["params"]["url"]
        for event in content["events"]
        if kinds[event["type"]] == "URL_REQUEST_START_JOB"
        and event.get("params", {}).get("initiator", "").startswith(("file", "null"))
    ]
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


@pytest.mark.campaign
def test_it_prints(page: Path, tmp_path: Path) -> None:
    paper = tmp_path / "report.pdf"
    browse(page, f"--print-to-pdf={paper}", "--no-pdf-header-footer")
    assert paper.read_bytes().startswith(b"%PDF")

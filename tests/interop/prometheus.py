"""A real Prometheus, which scrapes, evaluates and answers as Grafana asks it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from rocketmq_tw.clock import time_of_day
from tests.ports import free_port

from .program import Process, wait_until

OPERATE = Path(__file__).parents[2] / "doc" / "operate"
#: Seconds between two scrapes: operators take 15.
OFTEN = 1
_COMMENTED = re.compile(r"^    # (authorization:|scheme:|tls_config:|  )", re.MULTILINE)
TOOLS = ("prometheus", "promtool")


def missing_tools() -> list[str]:
    """Name the programs that are needed here and not installed."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


def promtool(*words: str, given: str = "") -> list[str]:
    """Run ``promtool``; return the lines in which it complains."""
    done = subprocess.run(
        ["promtool", *words], input=given, capture_output=True, text=True, timeout=60
    )
    lines = (done.stdout + done.stderr).splitlines()
    return [line for line in lines if line.strip()] if done.returncode else []


def page_of(target: str) -> str:
    """Read a page of metrics as Prometheus does."""
    with urllib.request.urlopen(f"http://{target}/metrics", timeout=30) as page:
        return str(page.read().decode())


def _settings(commented: Mapping[str, Path]) -> Any:
    """Read ``prometheus.yml``, with other files than it names."""
    text = (OPERATE / "prometheus.yml").read_text()
    if commented:
        text = re.sub(
            r"(?m)^    # (authorization:|scheme:|tls_config:|  )", r"    \1", text
        )
    for name, path in commented.items():
        assert f"/etc/prometheus/{name}" in text
        text = text.replace(f"/etc/prometheus/{name}", str(path))
    return yaml.safe_load(text)


class Refused(Exception):
    """Prometheus refuses to evaluate an expression."""


class Prometheus:
    """
    A Prometheus with the settings and the alerts of ``doc/operate``.

    :param targets: ``host:port`` of what it scrapes, in place of those in the file, by
        job; a job that is not in the file is added.
    :param labels: what a job adds to all its series.
    :param commented: use the lines that stand in comments, too, for a token and TLS:
        the files that they name, by their names.
    """

    def __init__(
        self,
        scratch: Path,
        targets: Mapping[str, Sequence[str]],
        labels: Mapping[str, Mapping[str, str]] | None = None,
        commented: Mapping[str, Path] | None = None,
    ) -> None:
        home = scratch / "prometheus"
        home.mkdir(parents=True)
        settings = _settings(commented or {})
        settings["global"] = {
            "scrape_interval": f"{OFTEN}s",
            "evaluation_interval": f"{OFTEN}s",
        }
        shutil.copy(OPERATE / "alerts.yml", home)
        jobs = {each["job_name"]: each for each in settings["scrape_configs"]}
        for job, addresses in targets.items():
            static = {"targets": list(addresses), "labels": (labels or {}).get(job, {})}
            jobs.setdefault(job, {"job_name": job})["static_configs"] = [static]
        settings["scrape_configs"] = [jobs[job] for job in targets]
        config = home / "prometheus.yml"
        config.write_text(yaml.safe_dump(settings))
        self.began = time_of_day()
        self.port = free_port()
        self._process = Process(
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={home / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--log.level=warn",
            ],
            home / "prometheus.log",
            directory=home,
        )
        self._process.wait_for_port(self.port)
        wait_until(self._is_ready, 60, "its database")
        wait_until(self.is_scraping, 60, "a scrape of each target")

    def get(self, path: str, **fields: Any) -> Any:
        """
        Ask its HTTP API; return the data.

        :raises Refused: with its reason.
        """
        query = urllib.parse.urlencode(fields, doseq=True)
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{query}"
        try:
            with urllib.request.urlopen(url, timeout=30) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            raise Refused(json.load(error)["error"]) from error

    def _is_ready(self) -> bool:
        try:
            ready = f"http://127.0.0.1:{self.port}/-/ready"
            return bool(urllib.request.urlopen(ready, timeout=30).status == 200)
        except urllib.error.HTTPError:
            return False

    def is_scraping(self) -> bool:
        """Whether each target was scraped, the last time without an error."""
        targets = self.get("targets", state="active")["activeTargets"]
        return bool(targets) and all(each["health"] == "up" for each in targets)

    def label_values(self, selector: str, label: str) -> list[str]:
        """Return the values of a label, as ``label_values()`` of a variable does."""
        match = {"match[]": selector, "start": self.began - 60, "end": time_of_day()}
        return list(self.get(f"label/{label}/values", **match))

    def instant(self, expression: str) -> list[Any]:
        """Evaluate an expression now: the series."""
        return list(self.get("query", query=expression, time=time_of_day())["result"])

    def over_time(self, expression: str) -> list[Any]:
        """Evaluate an expression from the start until now: the series."""
        fields = {"start": self.began, "end": time_of_day(), "step": OFTEN}
        return list(self.get("query_range", query=expression, **fields)["result"])

    def rules(self) -> list[Any]:
        """Return its alerts, with what came of evaluating them."""
        return [
            rule for group in self.get("rules")["groups"] for rule in group["rules"]
        ]

    def end(self) -> None:
        """End it."""
        self._process.kill()

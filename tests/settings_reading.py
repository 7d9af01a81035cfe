"""Settings and mistakes that a mapping reads as."""

from typing import Any

from pinnkit.language.errors import Report
from pinnkit.reading import read_as
from pinnkit.settings import Settings, read_settings


def read(config: dict[str, Any]) -> Settings:
    report = Report()
    settings = read_settings(config, report)
    assert [str(mistake) for mistake in report.mistakes] == []
    return settings


def mistakes(config: Any, kind: type = Settings) -> dict[str, str]:
    report = Report()
    read_settings(config, report) if kind is Settings else read_as(kind, config, report)
    assert len({mistake.key for mistake in report.mistakes}) == len(report.mistakes)
    return {mistake.key: mistake.message for mistake in report.mistakes}

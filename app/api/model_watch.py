"""What the nights found about the models, for Prometheus: read when asked, since another process found it."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from app.store.model_nights import Figure

_FAMILIES = {
    "psi": (
        "model_feature_psi",
        "Population stability index of a column against training, worst workspace.",
        "feature",
    ),
    "ks": ("model_feature_ks", "Kolmogorov-Smirnov distance of a column from training, worst workspace.", "feature"),
    "calibration_error": ("model_calibration_error", "Mean gap between promised and seen rate, worst workspace.", None),
    "alerts": ("alerts_open", "Alerts that stand.", "kind"),
}


class _Found:
    def __init__(self, figures: Iterable[Figure]) -> None:
        self._figures = tuple(figures)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for kind, (name, meaning, label) in _FAMILIES.items():
            family = GaugeMetricFamily(name, meaning, labels=[label] if label else [])
            for figure in self._figures:
                if figure.kind == kind and figure.value is not None:
                    family.add_metric([figure.name] if label else [], figure.value)
            yield family


def exposition(figures: Iterable[Figure]) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Found(figures))
    return generate_latest(registry)

"""ELAN's annotation format (EAF 3.0), by its schema at mpi.nl/tools/elan/EAFv3.0.xsd.

Times are whole milliseconds. ELAN knows no moments: each is `MOMENT_MS` long.
"""

import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path
from typing import Final

from affetti.analyzer.exports import Source, new_file
from affetti.analyzer.exports.tiers import Tier, tiers_of

MOMENT_MS: Final = 500
_SCHEMA: Final = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_TYPE: Final = "default"


def write(source: Source, target: Path, name: str) -> list[Path]:
    """Write a session; see `analyzer.exports.Format.write`."""
    document = document_of(tiers_of(source.analysis), source.analysis.info.wall_clock)
    ET.indent(document)
    with new_file(target) as file:
        file.write(ET.tostring(document, encoding="utf-8", xml_declaration=True))
    return [target]


def document_of(tiers: list[Tier], wall_clock: str) -> ET.Element:
    """Return the document of some rows; `wall_clock` is an ISO 8601 time."""
    root = ET.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "Affetti",
            "DATE": datetime.fromisoformat(wall_clock).isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": _SCHEMA,
        },
    )
    ET.SubElement(root, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    slots = ET.SubElement(root, "TIME_ORDER")
    times: list[int] = []
    for tier in tiers:
        _add(root, tier, times)
    for i in sorted(range(len(times)), key=lambda i: (times[i], i)):
        slot = {"TIME_SLOT_ID": f"ts{i + 1}", "TIME_VALUE": str(times[i])}
        ET.SubElement(slots, "TIME_SLOT", slot)
    kind = {"LINGUISTIC_TYPE_ID": _TYPE, "TIME_ALIGNABLE": "true", "GRAPHIC_REFERENCES": "false"}
    ET.SubElement(root, "LINGUISTIC_TYPE", kind)
    return root


def _add(root: ET.Element, tier: Tier, times: list[int]) -> None:
    """Add a row, and its times to those that all rows share."""
    row = ET.SubElement(root, "TIER", {"LINGUISTIC_TYPE_REF": _TYPE, "TIER_ID": tier.name})
    spans = [(round(each.start_s * 1000), round(each.stop_s * 1000)) for each in tier.labels]
    for i, (label, (start, stop)) in enumerate(zip(tier.labels, spans, strict=True)):
        following = spans[i + 1][0] if i + 1 < len(spans) else start + MOMENT_MS
        end = max(min(start + MOMENT_MS, following), start + 1) if tier.moments else stop
        times += [start, max(end, start + 1)]
        annotation = ET.SubElement(ET.SubElement(row, "ANNOTATION"), "ALIGNABLE_ANNOTATION")
        annotation.set("ANNOTATION_ID", f"a{len(times) // 2}")
        annotation.set("TIME_SLOT_REF1", f"ts{len(times) - 1}")
        annotation.set("TIME_SLOT_REF2", f"ts{len(times)}")
        ET.SubElement(annotation, "ANNOTATION_VALUE").text = label.text

"""ELAN's annotation format (EAF 2.6 to 3.0). Times are milliseconds."""

import xml.etree.ElementTree as ET

from affetti.analyzer.imports import Label


def parsed(data: bytes) -> list[Label]:
    """Return the time-aligned annotations of all tiers.

    Raises
    ------
    ValueError
        It is no such file. One that declares entities is refused, whatever they are for.
    """
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ValueError("it declares a document type of its own")
    try:
        # Without declarations of its own, a document cannot grow or reach elsewhere.
        root = ET.fromstring(data)  # noqa: S314
    except ET.ParseError as error:
        raise ValueError(error) from error
    slots = {
        slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE", "-1"))
        for slot in root.iterfind("TIME_ORDER/TIME_SLOT")
    }
    return [
        Label(
            slots[each.get("TIME_SLOT_REF1")] / 1000,
            slots[each.get("TIME_SLOT_REF2")] / 1000,
            each.findtext("ANNOTATION_VALUE") or "",
            tier.get("TIER_ID", ""),
        )
        for tier in root.iterfind("TIER")
        for each in tier.iterfind("ANNOTATION/ALIGNABLE_ANNOTATION")
    ]

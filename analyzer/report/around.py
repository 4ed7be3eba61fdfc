"""What was expressed about a moment, in words: the same in the report and on the screen."""

from affetti.analyzer.analysis import Analysis
from affetti.analyzer.measures.estimates import MODALITIES, ModalityName
from affetti.analyzer.measures.summary import summary_of
from affetti.analyzer.measures.together import together_in
from affetti.analyzer.report import wording
from affetti.core.interruptions import Stretch
from affetti.core.language import text


def around(analysis: Analysis, name: ModalityName, stretch: Stretch) -> str:
    """Return what a modality expressed in a stretch, with its coverage; a dash where nothing."""
    alone = wording.alone(together_in(analysis.tables.fused, [stretch]))
    if name == "fused" and alone:
        return alone
    summary = summary_of(analysis.estimates[name], [stretch])
    if not summary.said:
        return wording.expressed(name, summary) if summary.unread else wording.UNKNOWN
    words = wording.expressed(name, summary)
    if name == "fused":
        every = {each: summary_of(analysis.estimates[each], [stretch]) for each in MODALITIES}
        words = wording.together(every, together_in(analysis.tables.fused, [stretch]))
    covered = wording.coverage(name, summary.coverage)
    return text("report.around", words=words, coverage=covered)

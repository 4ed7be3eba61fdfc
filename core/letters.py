"""The letters of a text that a person has written with some program: the one door for all files.

Editors of Windows put a byte order mark before UTF-8 or save UTF-16; spreadsheets save tables in
the code page of their country, and nothing in the file says which.
"""

import codecs
import re
from typing import Final

# What West European texts have beyond ASCII in Windows-1252. In the code pages of other countries
# and systems the same bytes mean other signs; read as these, words would not look like words.
_LETTERS: Final = "ÄÖÜäöüßÀÂÇÈÉÊËÎÏÔÙÛàâçèéêëîïôùûœŒÁÍÓÚÑáíóúñÌÒìòÃÕãõÅØÆåøæ"
# Quotes, dashes and the like, which stand at an end of a word.
_SIGNS: Final = bytes.fromhex("938491829697859480abbbb0a7b7a9ae99aababfa1").decode("cp1252")
_WESTERN: Final = re.compile(
    rf"(?!.*[{_LETTERS}]{{3}})"
    rf"(?:[\x00-\x7f\u00a0\u2019{_LETTERS}]|(?<!\w)[{_SIGNS}]|[{_SIGNS}](?!\w))*",
    re.DOTALL,
)


_NAMED_SEPARATOR: Final = re.compile("sep=([,;\t])(?=[\r\n])")  # as spreadsheets write


def named_separator(table: str) -> tuple[str, str]:
    """Return what a first line says that cells are separated by, "" without one, and the rest.

    Of that line its end stays, as an empty line: so do the numbers of lines.
    """
    named = _NAMED_SEPARATOR.match(table)
    return (named[1], table[named.end() :]) if named else ("", table)


def decoded(data: bytes) -> str:
    """Return a text: UTF-8 and UTF-16 with a byte order mark, UTF-8 without one, Windows-1252.

    Raises
    ------
    UnicodeDecodeError
        It is none of them, or Windows-1252 that no West European language would write.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        written = data.decode("cp1252", "replace")
        if _WESTERN.fullmatch(written):
            return written
        raise error

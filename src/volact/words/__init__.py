"""Languages: the choice of one, and translations of English sentences.

The catalogues are gettext ``.po`` files in ``locale/``.  One is read when the first
sentence is translated into its language, and never for English.  Sentences are made by
``volact.model.text``.  Data formats are not translated.

    with speaking("id"):
        print(tr(say("{n} servers", n=3)))
"""

from volact.words.choose import LANGUAGES, choose_language, system_language
from volact.words.speak import Translator, decimal, language, speaking, tr, use, words_of

__all__ = [
    "LANGUAGES",
    "Translator",
    "choose_language",
    "decimal",
    "language",
    "speaking",
    "system_language",
    "tr",
    "use",
    "words_of",
]

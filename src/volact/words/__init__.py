"""Languages: which one a person reads, and English sentences in it.

The catalogues are gettext ``.po`` files in ``locale/``; they are read when the
first sentence is said in their language, and never for English.  Sentences are
made by ``volact.model.text``; data formats never come here.
"""

from volact.words.choose import LANGUAGES, choose_language, system_language
from volact.words.speak import Words, language, speaking, tr, use, words_of

__all__ = [
    "LANGUAGES",
    "Words",
    "choose_language",
    "language",
    "speaking",
    "system_language",
    "tr",
    "use",
    "words_of",
]

"""Ranks the sentences of a text by the words that they share with the whole."""

import re
from collections import Counter

STOP_WORDS = frozenset(
    """a about after all also an and any are as at be because been but by can could did do does each for from had has have
    he her him his how if in into is it its just may me more most my no not of on one only or other our out over own she so
    some such than that the their them then there these they this those to under up was we were what when which while who
    will with would you your""".split()
)
WORD = re.compile(r"[^\W\d_][\w'-]+")
MAX_SENTENCES = 5_000


def plain_text(document: str) -> str:
    """Takes out what is not prose: code blocks, tables, headings, links and other marks of Markdown."""
    text = re.sub(r"```.*?(```|\Z)", "\n\n", document, flags=re.DOTALL)
    text = re.sub(r"^\s*(\|.*|#+ .*|[-=*_]{3,})$", "\n", text, flags=re.MULTILINE)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"^\s*([-*+>]|\d+\.)\s+", "\n", text, flags=re.MULTILINE)
    return re.sub(r"[`*]|<[^>\n]{1,200}>", "", text)


def sentences(document: str) -> list[str]:
    found: list[str] = []
    for paragraph in re.split(r"\n\s*\n", plain_text(document)):
        one_line = " ".join(paragraph.split())
        found += [part for part in re.split(r"(?<=[.!?])\s+(?=[\"'(\w])", one_line) if len(WORD.findall(part)) >= 4]
    return found[:MAX_SENTENCES]


def rank(document: str, count: int) -> list[str]:
    """The `count` most telling sentences, in the order of the document."""
    candidates = sentences(document)
    words = [[word.lower() for word in WORD.findall(sentence) if word.lower() not in STOP_WORDS] for sentence in candidates]
    frequency = Counter(word for sentence in words for word in set(sentence))
    scores = []
    for index, sentence in enumerate(words):
        telling = sum(frequency[word] - 1 for word in set(sentence))
        # Long sentences do not win by length alone, and what stands first tells a little more.
        scores.append((telling / (len(sentence) + 4) ** 0.7 + 0.5 / (1 + index), index))
    best = sorted(index for _, index in sorted(scores, key=lambda score: (-score[0], score[1]))[:count])
    return [candidates[index] for index in best]

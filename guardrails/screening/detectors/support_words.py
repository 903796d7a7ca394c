"""English words that `support` looks at."""

from __future__ import annotations

#: 0 to 20.
NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
#: An odd number of them turns a sentence round.
NEGATIONS = (
    "no", "not", "never", "none", "nobody", "nothing", "neither", "nor", "without", "cannot", "can't", "don't",
    "doesn't", "didn't", "isn't", "aren't", "wasn't", "weren't", "won't", "wouldn't", "shouldn't", "couldn't",
    "hasn't", "haven't", "hadn't", "unable", "fails", "failed", "lacks",
)  # fmt: skip
#: Pairs that contradict each other in sentences that are otherwise alike.
OPPOSITES = (
    "open/closed", "opens/closes", "opened/closed", "before/after", "above/below", "more/fewer", "more/less",
    "increase/decrease", "rose/fell", "increased/decreased", "higher/lower", "first/last", "north/south",
    "east/west", "included/excluded", "allowed/forbidden", "allowed/prohibited", "required/optional",
    "free/paid", "hot/cold", "early/late", "earlier/later", "maximum/minimum", "largest/smallest",
    "longest/shortest", "oldest/newest", "start/end", "begins/ends", "accepted/rejected", "approved/rejected",
    "won/lost", "indoors/outdoors", "always/never", "all/none", "with/without", "public/private",
    "permanent/temporary", "safe/unsafe", "legal/illegal", "cheaper/dearer", "faster/slower", "older/younger",
    "morning/evening", "weekdays/weekends", "arrives/departs", "most/least",
)  # fmt: skip
#: Words that carry no meaning of their own.
STOP = (
    "a", "an", "the", "and", "or", "but", "of", "in", "on", "at", "to", "for", "from", "by", "with", "as", "is",
    "are", "was", "were", "be", "been", "being", "it", "its", "this", "that", "these", "those", "there",
    "their", "they", "he", "she", "his", "her", "him", "them", "we", "you", "your", "our", "i", "my", "me",
    "do", "does", "did", "has", "have", "had", "will", "would", "can", "could", "may", "might", "shall",
    "should", "must", "also", "which", "who", "whom", "what", "when", "where", "how", "than", "then", "so",
    "such", "into", "about", "over", "up", "out", "if",
)  # fmt: skip

"""The categories of the guard model: OpenAI's moderation names, so that scores compare, and two of our own."""

MODEL_CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "sexual",
    "violence",
    "violence/graphic",
    "prompt_injection",
    "profanity",
)

#: Never trained: the sexual score together with an age lexicon, and always held for a person.
SEXUAL_MINORS = "sexual/minors"

MODERATION_CATEGORIES = (*(c for c in MODEL_CATEGORIES if c != "prompt_injection"), SEXUAL_MINORS)

#: What the guard model's token head finds; patterns with checksums do the rest.
MODEL_ENTITIES = ("PERSON", "LOCATION", "ORGANIZATION", "ADDRESS", "DATE_TIME")

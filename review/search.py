"""Words of the texts that people review, for PostgreSQL's full-text search.

Full text, not trigrams: the server that ships has no pg_trgm, and words with an index stay quick in millions of items.
The configuration is `simple`, because texts come in any language: words as they are, without stems or stop words.
"""

from __future__ import annotations

from django.contrib.postgres.search import SearchQuery
from django.db import connection

from webapp.interception.models import Check


def remember_words(check: Check) -> None:
    """Make the texts of `check` findable; they must be stored."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO review_searchtext (check_id, words)
               SELECT check_id, review_search_words(output, messages) FROM interception_checkcontent
               WHERE check_id = %s ON CONFLICT DO NOTHING""",
            [check.id],
        )


def matching(words: str) -> SearchQuery:
    """Return the query for `words` as people write them: all of them, "a phrase", -not, or."""
    return SearchQuery(words, search_type="websearch", config="simple")

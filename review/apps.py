from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "review"

    def ready(self) -> None:
        from review.lookups import review_states
        from review.services.raising import on_check_flagged
        from webapp.interception.reviews import register_review_lookup
        from webapp.interception.signals import check_flagged

        register_review_lookup(review_states)
        check_flagged.connect(on_check_flagged, dispatch_uid="review.raise_item")

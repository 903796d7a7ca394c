from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "review"

    def ready(self) -> None:
        from review.services.raising import on_check_flagged
        from webapp.interception.signals import check_flagged

        check_flagged.connect(on_check_flagged, dispatch_uid="review.raise_item")

from django.apps import AppConfig


class InterceptionConfig(AppConfig):
    name = "webapp.interception"
    label = "interception"

    def ready(self) -> None:
        from webapp.audit.counters import register_counter
        from webapp.interception.selectors import count_checks

        register_counter(count_checks)

from django.apps import AppConfig


class InterceptionConfig(AppConfig):
    name = "webapp.interception"
    label = "interception"

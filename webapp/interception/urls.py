"""Pages of interception; the API has its own roots in webapp/urls.py."""

from django.urls import path

from webapp.interception import views

app_name = "interception"
urlpatterns = [
    path("", views.traffic, name="traffic"),
    path("<str:check_id>/", views.check_detail, name="check"),
]

from django.urls import path

from webapp.audit import views

app_name = "audit"
urlpatterns = [
    path("", views.report, name="report"),
    path("download/", views.download, name="download"),
]

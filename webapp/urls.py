from __future__ import annotations

from django.urls import include, path

from webapp import views

urlpatterns = [
    path("", views.home, name="home"),
    path("accounts/", include("allauth.urls")),
    path("p/<slug:project>/compliance/", include("webapp.audit.urls")),
    path("p/<slug:project>/", include("webapp.accounts.urls")),
    path("p/<slug:project>/review/", include("review.urls")),
    path("p/<slug:project>/datasets/", include("feedback.urls")),
]

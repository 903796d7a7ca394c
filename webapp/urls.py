"""Every address of the app. A project's pages live under /p/<project>/."""

from __future__ import annotations

from allauth.account import views as allauth
from django.urls import include, path

from review.appeals_api import router as appeals
from webapp import views
from webapp.accounts import language as accounts
from webapp.interception.api import api
from webapp.interception.moderations import api as openai_api
from webapp.interception.views import api_docs
from webapp.languages import script_texts
from webapp.monitoring import views as monitoring

# Mounted here, above both rooms: interception does not know that there are appeals.
api.add_router("", appeals)

urlpatterns = [
    path("", views.home, name="home"),
    # Not allauth.urls: its other pages send mail, which would put links and typed addresses into the log.
    path("accounts/login/", allauth.login, name="account_login"),
    path("accounts/logout/", allauth.logout, name="account_logout"),
    path("accounts/password/change/", allauth.password_change, name="account_change_password"),
    path("accounts/language/", accounts.language, name="language"),
    path("texts/<slug:language>.js", script_texts, name="script-texts"),
    path("v1/docs", api_docs, name="api-docs"),
    path("v1/", api.urls),
    path("openai/v1/", openai_api.urls),
    path("healthz", monitoring.healthz, name="healthz"),
    path("readyz", monitoring.readyz, name="readyz"),
    path("p/<slug:project>/compliance/", include("webapp.audit.urls")),
    path("p/<slug:project>/traffic/", include("webapp.interception.urls")),
    path("p/<slug:project>/policies/", include("policies.urls")),
    path("p/<slug:project>/review/", include("review.urls")),
    path("p/<slug:project>/datasets/", include("feedback.urls")),
    path("p/<slug:project>/", include("webapp.accounts.urls")),
]

handler400 = "webapp.uploads.refused"

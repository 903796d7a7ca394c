from django.urls import path

from webapp.accounts import views

app_name = "accounts"
urlpatterns = [
    path("members/", views.members, name="members"),
    path("members/add/", views.member_add, name="member-add"),
    path("members/<int:pk>/role/", views.member_role, name="member-role"),
    path("members/<int:pk>/remove/", views.member_remove, name="member-remove"),
    path("applications/", views.applications, name="applications"),
    path("applications/add/", views.application_create, name="application-create"),
    path("applications/<uuid:pk>/keys/", views.key_create, name="key-create"),
    path("keys/<uuid:pk>/revoke/", views.key_revoke, name="key-revoke"),
    path("settings/", views.settings, name="settings"),
]

from django.urls import path

from policies import views

app_name = "policies"
urlpatterns = [
    path("", views.policy_list, name="list"),
    # No policy has a name that begins so.
    path("_new/", views.new_version, name="new"),
    path("<slug:name>/", views.policy_detail, name="detail"),
    path("<slug:name>/new/", views.new_version, name="new_version"),
    path("<slug:name>/<int:version>/", views.version_detail, name="version"),
    path("<slug:name>/<int:version>/activate/", views.activate_version, name="activate"),
]

from django.urls import path

from feedback import views

app_name = "datasets"
urlpatterns = [
    path("", views.dataset_list, name="list"),
    path("new/", views.new_dataset, name="new"),
    path("new/preview/", views.new_preview, name="preview"),
    path("exports/<uuid:export_id>/download/", views.download, name="download"),
    path("<uuid:dataset_id>/", views.dataset_detail, name="detail"),
    path("<uuid:dataset_id>/freeze/", views.freeze, name="freeze"),
    path("<uuid:dataset_id>/<int:number>/", views.version_detail, name="version"),
    path("<uuid:dataset_id>/<int:number>/state/", views.version_state, name="version_state"),
    path("<uuid:dataset_id>/<int:number>/sample/", views.version_sample, name="sample"),
    path("<uuid:dataset_id>/<int:number>/exports/<slug:format>/", views.export, name="export"),
    path("<uuid:dataset_id>/<int:number>/exports/<slug:format>/state/", views.export_state, name="export_state"),
]

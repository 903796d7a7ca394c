"""The console, under /p/<project>/review/."""

from __future__ import annotations

from django.urls import path

from review import (
    agreement_views,
    assign_views,
    browse_views,
    cluster_views,
    golden_views,
    hold_views,
    lead_views,
    profile_views,
    queue_views,
    routing_views,
    schema_views,
    slot_views,
    views,
)

app_name = "review"
urlpatterns = [
    path("", views.queues, name="queues"),
    path("agreement/", agreement_views.agreement, name="agreement"),
    path("agreement/<slug:format>/", agreement_views.agreement_file, name="agreement-file"),
    path("dashboard/", lead_views.dashboard, name="dashboard"),
    path("reviewers/<uuid:user>/", lead_views.reviewer, name="reviewer"),
    path("mine/", views.mine, name="mine"),
    path("mine/keys/", profile_views.keys, name="keys"),
    path("routing/", routing_views.routing, name="routing"),
    path("schemas/", schema_views.schemas, name="schemas"),
    path("schemas/new/", schema_views.schema_new, name="schema-new"),
    path("schemas/<slug:schema>/edit/", schema_views.schema_edit, name="schema-edit"),
    path("queues/new/", queue_views.queue_new, name="queue-new"),
    path("queues/<slug:queue>/edit/", queue_views.queue_edit, name="queue-edit"),
    path("queues/<slug:queue>/work/", views.work, name="work"),
    path("queues/<slug:queue>/ahead/", slot_views.ahead, name="ahead"),
    path("items/", browse_views.browse, name="browse"),
    path("golden/", golden_views.golden, name="golden"),
    path("golden/<uuid:golden>/retire/", golden_views.golden_retire, name="golden-retire"),
    path("pauses/<int:pause>/lift/", golden_views.pause_lift, name="pause-lift"),
    path("filters/", browse_views.save, name="filter-save"),
    path("filters/<int:saved>/delete/", browse_views.forget, name="filter-delete"),
    path("items/<str:item>/", views.item, name="item"),
    path("items/<str:item>/reopen/", browse_views.reopen, name="reopen"),
    path("items/<str:item>/cluster/", cluster_views.cluster, name="cluster"),
    path("items/<str:item>/golden/", golden_views.golden_new, name="golden-new"),
    path("items/<str:item>/redacted/", views.redacted, name="redacted"),
    path("slots/<uuid:slot>/submit/", slot_views.submit, name="submit"),
    path("slots/<uuid:slot>/decide-cluster/", cluster_views.decide, name="cluster-decide"),
    path("clusters/<uuid:cluster>/", cluster_views.cluster_decision, name="cluster-decision"),
    path("slots/<uuid:slot>/heartbeat/", slot_views.beat, name="heartbeat"),
    path("slots/<uuid:slot>/skip/", slot_views.skip, name="skip"),
    path("slots/<uuid:slot>/escalate/", slot_views.escalate, name="escalate"),
    path("slots/<uuid:slot>/assign/", assign_views.assign, name="assign"),
    path("slots/<uuid:slot>/take-back/", assign_views.take_back, name="take-back"),
    path("slots/<uuid:slot>/hold/", hold_views.hold, name="hold"),
    path("slots/<uuid:slot>/resume/", hold_views.resume, name="resume"),
    path("slots/<uuid:slot>/release/", slot_views.release, name="release"),
    path("decisions/<uuid:decision>/undo/", slot_views.undo, name="undo"),
]

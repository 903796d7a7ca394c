"""Tables of review: queues and schemas, items and slots, what reviewers said, what was decided."""

from review.models.annotations import Annotation, Correction, FindingVerdict, PreferencePair, SpanAnnotation
from review.models.appeals import Appeal, AppealText
from review.models.bulk import BulkAction, BulkChange
from review.models.clusters import ClusterBand, ClusterDecision, ClusterMember
from review.models.comments import Comment, Mention
from review.models.decisions import Decision, Reopening
from review.models.exposure import Break, ExposureEntry
from review.models.golden import GoldenItem, GoldenResult, ReviewerPause
from review.models.imports import TaskBatch, TaskImport
from review.models.items import Assignment, Exclusion, ItemTrigger, ReviewItem
from review.models.profiles import ReviewerProfile
from review.models.qa import QAReview
from review.models.queues import LabelSchema, LabelSchemaVersion, Queue
from review.models.routing import RoutingRule, RoutingTable
from review.models.search import SavedFilter, SearchText
from review.models.suggestions import Suggestion
from review.models.wellness import WellnessSettings

__all__ = [
    "Annotation",
    "Appeal",
    "AppealText",
    "Assignment",
    "Break",
    "BulkAction",
    "BulkChange",
    "ClusterBand",
    "ClusterDecision",
    "ClusterMember",
    "Comment",
    "Correction",
    "Decision",
    "Exclusion",
    "ExposureEntry",
    "FindingVerdict",
    "GoldenItem",
    "GoldenResult",
    "ItemTrigger",
    "LabelSchema",
    "LabelSchemaVersion",
    "Mention",
    "PreferencePair",
    "QAReview",
    "Queue",
    "Reopening",
    "ReviewItem",
    "ReviewerPause",
    "ReviewerProfile",
    "RoutingRule",
    "RoutingTable",
    "SavedFilter",
    "SearchText",
    "SpanAnnotation",
    "Suggestion",
    "TaskBatch",
    "TaskImport",
    "WellnessSettings",
]

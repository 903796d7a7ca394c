import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("review", "0019_comments"),
    ]

    operations = [
        migrations.AddField(
            model_name="annotation",
            name="reasons",
            field=models.JSONField(
                default=list, help_text="Ids of the policy's rules that the reviewer gave as the reason."
            ),
        ),
        migrations.AddField(
            model_name="annotation",
            name="statement",
            field=models.TextField(blank=True, help_text="Statement of reasons; empty when unsure.", default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="annotation",
            name="statement_edited",
            field=models.BooleanField(default=False, help_text="Whether they wrote it otherwise than composed."),
        ),
        migrations.AddField(
            model_name="decision",
            name="statement_edited_by",
            field=models.ForeignKey(
                help_text="Null: as it was composed.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="queue",
            name="reason_for",
            field=models.JSONField(default=list, help_text="Verdicts that need a reason, of OUTCOMES."),
        ),
    ]

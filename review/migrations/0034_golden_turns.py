from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("review", "0033_help_texts")]

    operations = [
        migrations.AddField(
            model_name="goldenitem",
            name="turn_at",
            field=models.DateTimeField(
                help_text="When it last had its turn to be shown, even if nobody was left for it; the longest ago first.",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="goldenitem",
            index=models.Index(
                F("queue"),
                F("turn_at").asc(nulls_first=True),
                F("id"),
                condition=Q(retired_at=None),
                name="golden_turns",
            ),
        ),
        migrations.RemoveIndex(model_name="goldenitem", name="golden_in_use"),
    ]

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("review", "0034_golden_turns")]

    operations = [
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(
                fields=["project", "queue", "severity"],
                name="item_open_blind",
                condition=Q(
                    state__in=("pending", "in_review", "adjudication", "escalated", "reopened"), blind=True, cycle=1
                ),
            ),
        ),
    ]

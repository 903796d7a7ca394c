import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("interception", "0003_release_statement"),
    ]

    operations = [
        migrations.AddField(
            model_name="check",
            name="compared_with",
            field=models.ForeignKey(
                help_text="The check of the other candidate output of the same conversation; a person compares the two.",
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="interception.check",
            ),
        ),
        migrations.AddIndex(
            model_name="check",
            index=models.Index(
                condition=models.Q(("compared_with__isnull", False)), fields=["compared_with"], name="check_compared"
            ),
        ),
    ]

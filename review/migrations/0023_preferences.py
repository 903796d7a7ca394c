from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("review", "0022_bulk"),
    ]

    operations = [
        migrations.AddField(
            model_name="preferencepair",
            name="chosen_left",
            field=models.BooleanField(help_text="Whether `chosen` stood left; null for a correction.", null=True),
        ),
        migrations.AlterField(
            model_name="preferencepair",
            name="strength",
            field=models.FloatField(default=1.0, help_text="1 clearly, 0.5 slightly, 0 as good as the other."),
        ),
        migrations.AlterField(
            model_name="itemtrigger",
            name="kind",
            field=models.CharField(help_text="held, flagged, compared, sampled, late, appeal", max_length=12),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("interception", "0002_waiting_releases"),
    ]

    operations = [
        migrations.AddField(
            model_name="release",
            name="statement",
            field=models.TextField(blank=True, help_text="Statement of reasons.", default=""),
            preserve_default=False,
        ),
    ]

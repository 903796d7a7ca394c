from django.db import models


class NaiveCheck(models.Model):
    output = models.TextField()
    prompt = models.TextField()
    result = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

"""The page on which a person chooses the language of their pages."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods

from webapp.accounts.access import MemberRequest


class LanguageForm(forms.Form):
    language = forms.ChoiceField(
        required=False, choices=[("", gettext_lazy("as the browser asks")), *settings.LANGUAGES]
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def language(request: MemberRequest) -> HttpResponse:
    """Show and keep the choice; it is the person's own, in every project."""
    form = LanguageForm(request.POST or None, initial={"language": request.user.language})
    if request.method != "POST":
        return render(request, "accounts/language.html", {"form": form})
    if not form.is_valid():
        return render(request, "accounts/language.html", {"form": form}, status=400)
    request.user.language = form.cleaned_data["language"]
    request.user.save(update_fields=["language"])
    spoken = request.user.language or translation.get_language_from_request(request)
    with translation.override(spoken):
        messages.success(request, gettext("Saved."))
    return redirect("language")

"""All HTTP addresses. Each app names its own; operation is here."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from contactcenter.catalog import catalog
from contactcenter.health import healthz, readyz
from contactcenter.metrics import metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
    path("jsi18n/", catalog, name="javascript-catalog"),
    path("admin/", admin.site.urls),
    path("", include("streams.urls")),
    path("", include("calls.urls")),
]

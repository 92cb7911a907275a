"""The contact centre's HTTP addresses: what people open, and what Twilio calls."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, path, re_path

from calls.services.seats import LABEL
from calls.views import call, control, desk, desk_page, history, phone, voicemails, wall
from calls.webhooks import conference, gather, queue, recording, status, voice

pages: list[URLPattern] = [
    path("", wall.home, name="home"),
    path("accounts/login/", LoginView.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("live/", wall.live, name="live"),
    path("live/search/", control.search, name="live-search"),
    path("live/token/", phone.supervisor_token, name="live-token"),
    path("live/figures/", wall.figures, name="live-figures"),
    path("desk/", desk_page.desk, name="desk"),
    path("desk/token/", phone.token, name="desk-token"),
    path("desk/do/", desk.do, name="desk-do"),
    path("desk/search/", desk.search, name="desk-search"),
    path("calls/", history.calls, name="calls"),
    re_path(r"^calls/(?P<call_id>[0-9]{1,18})/$", call.detail, name="call"),
    re_path(r"^calls/(?P<call_id>[0-9]{1,18})/do/$", control.do, name="call-do"),
    re_path(r"^calls/(?P<sid>CA[0-9a-f]{32})/$", call.by_sid, name="call-by-sid"),
    path("voicemails/", voicemails.messages, name="voicemails"),
    re_path(r"^voicemails/(?P<voicemail_id>[0-9]{1,18})/sound/$", voicemails.sound, name="voicemail-sound"),
    re_path(r"^voicemails/(?P<voicemail_id>[0-9]{1,18})/heard/$", voicemails.heard, name="voicemail-heard"),
]
webhooks: list[URLPattern] = [
    path("twilio/voice/", voice.voice, name="twilio-voice"),
    path("twilio/fallback/", voice.fallback, name="twilio-fallback"),
    path("twilio/hold/", queue.hold, name="twilio-hold"),
    path("twilio/recording/", recording.recording, name="twilio-recording"),
    re_path(r"^twilio/queue/(?P<turn>[0-9a-f]{32})/$", queue.queue, name="twilio-queue"),
    re_path(r"^twilio/gather/(?P<turn>[0-9a-f]{32})/$", gather.gather, name="twilio-gather"),
    path("twilio/call-status/", status.call_status, name="twilio-call-status"),
    path("twilio/conference/", conference.conference, name="twilio-conference"),
    re_path(rf"^twilio/legs/(?P<label>{LABEL})/$", conference.seat, name="twilio-leg"),
    re_path(r"^twilio/next/(?P<turn>[0-9a-f]{32})/$", voice.next_turn, name="twilio-next"),
]
urlpatterns: list[URLPattern] = [*pages, *webhooks]

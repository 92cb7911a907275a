"""The same call on a grown installation, and what happens to it when Redis dies in the middle."""

from tests.journeys import story
from tests.people import MINA
from tests.processes import Redis
from tests.product import Site
from tests.wall import Wall


def test_a_call_on_postgresql_and_redis(cluster_site: Site) -> None:
    with Wall(cluster_site.url, MINA) as wall:
        sid, call = story.ring(cluster_site, wall)
        story.speak(wall)
        story.end(cluster_site, wall, sid, call)


def test_redis_dies_and_returns_and_no_media_socket_closes(cluster_site: Site, redis_server: Redis) -> None:
    with Wall(cluster_site.url, MINA) as wall:
        sid, call = story.ring(cluster_site, wall)
        opened = wall.sees(lambda m: m["type"] == "stream" and m["state"] == "open", "an open stream")
        stream = opened["stream"]
        wall.until(lambda m: story.loud(m, stream, "inbound"), "a moving meter")
        redis_server.kill()
        lines = len(wall.of("utterance"))
        wall.until(lambda m: len(wall.of("utterance")) > lines, "words, which need no Redis")
        redis_server.start()
        quiet = wall.counts["levels"]
        wall.until(lambda m: wall.counts["levels"] > quiet, "levels again")
        assert all(m["stream"] == stream for m in wall.of("stream")), "the tap was reopened"
        story.end(cluster_site, wall, sid, call)

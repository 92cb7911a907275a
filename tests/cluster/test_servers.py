"""The servers that a grown installation stands on, as the other tests of this folder use them."""

from pathlib import Path

import psycopg
import redis

from tests.processes import Postgres, Redis
from tests.product import Site


def test_redis_answers_again_after_a_crash(redis_server: Redis) -> None:
    client = redis.Redis.from_url(redis_server.url, socket_timeout=5)
    assert client.ping()
    redis_server.kill()
    redis_server.start()
    assert redis.Redis.from_url(redis_server.url, socket_timeout=5).ping()


def test_each_database_is_fresh(postgres: Postgres) -> None:
    for _ in range(2):
        with psycopg.connect(postgres.database()) as connection:
            tables = connection.execute("select count(*) from pg_tables where schemaname = 'public'")
            assert tables.fetchone() == (0,)


def test_the_product_is_laid_out_on_postgresql(tmp_path: Path, postgres: Postgres) -> None:
    site = Site(tmp_path, settings={"DATABASE_URL": postgres.database()})
    site.prepare()
    assert site.ask("sorted(User.objects.values_list('username', flat=True))") == [
        "ada",
        "eve",
        "jonas",
        "mina",
    ]
    assert site.ask("PhoneNumber.objects.count()") == 2
    site.manage("migrate", "--check")

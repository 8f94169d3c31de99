"""A fleet that shares sessions through Redis: `redis_cache.py REDIS-URL`.

The store holds credentials in the clear: whoever reads it can use them until they expire. Use TLS
and a password, and a store of your own.
"""

import sys

import boto3
import redis
import rolesanywhere


class RedisCache:
    """Sessions in Redis. The lock frees itself when its holder dies."""

    def __init__(self, store):
        self._store = store

    def load(self, key):
        return self._store.get(f"rolesanywhere:{key}")

    def store(self, key, value, ttl_seconds):
        self._store.set(f"rolesanywhere:{key}", value, ex=ttl_seconds)

    def lock(self, key):
        # `thread_local=False`: AsyncClient takes and frees the lock in different threads.
        return self._store.lock(f"rolesanywhere:lock:{key}", timeout=30, thread_local=False)


if __name__ == "__main__":
    rolesanywhere.install(cache=RedisCache(redis.Redis.from_url(sys.argv[1])))
    # From here on, boto3 finds the AWS_ROLESANYWHERE_* variables or the profile's keys by itself.
    print(boto3.client("sts").get_caller_identity()["Arn"])

'use strict';
// parse-server's caches, for programs that use them themselves. The server has caches of its own.

/** Bounds of entries that are given none. */
const TTL = 5_000;
const MOST = 10_000;

class LRUCache {
  constructor({ ttl = TTL, maxSize = MOST } = {}) {
    this.ttl = ttl;
    this.maxSize = maxSize;
    this.entries = new Map();
  }

  get(key) {
    const entry = this.entries.get(key);
    if (!entry) return null;
    this.entries.delete(key);
    if (entry.until <= Date.now()) return null;
    // The entry used last is the last one to go.
    this.entries.set(key, entry);
    return entry.value;
  }

  put(key, value, ttl = this.ttl) {
    this.entries.delete(key);
    this.entries.set(key, { value, until: Number.isFinite(ttl) && ttl > 0 ? Date.now() + ttl : Infinity });
    if (this.entries.size > this.maxSize) this.entries.delete(this.entries.keys().next().value);
  }

  del(key) {
    this.entries.delete(key);
  }

  clear() {
    this.entries.clear();
  }
}

class InMemoryCacheAdapter {
  constructor(options) {
    this.cache = new LRUCache(options);
  }

  async get(key) {
    return this.cache.get(key);
  }

  async put(key, value, ttl) {
    this.cache.put(key, value, ttl);
  }

  async del(key) {
    this.cache.del(key);
  }

  async clear() {
    this.cache.clear();
  }
}

class NullCacheAdapter {
  async get() {
    return null;
  }

  async put() {}

  async del() {}

  async clear() {}
}

/** Servers on one database hear of each other's changes by the database: they need no cache between them. */
class RedisCacheAdapter extends InMemoryCacheAdapter {
  constructor(options, ttl = 30_000) {
    super({ ttl });
    this.options = options;
  }

  async connect() {}

  async handleShutdown() {}
}

const OWN = [LRUCache, InMemoryCacheAdapter, NullCacheAdapter];

/**
 * Takes the cache out of the options; returns what is to be said about it.
 * @throws if it is one that would have to be asked
 */
function take(options) {
  const given = options.cacheAdapter;
  delete options.cacheAdapter;
  if (given === undefined || given === null) return undefined;
  const adapter = given.adapter ?? given.class ?? given;
  if (adapter instanceof RedisCacheAdapter || adapter === RedisCacheAdapter) {
    return 'option cacheAdapter has no effect: servers on one database hear of changes by the database, not by Redis';
  }
  if (OWN.some(own => adapter instanceof own || adapter === own)) return undefined;
  throw new Error('option cacheAdapter: the server has caches of its own (cacheTTL, cacheMaxSize), and asks no adapter');
}

module.exports = { InMemoryCacheAdapter, LRUCacheAdapter: LRUCache, NullCacheAdapter, RedisCacheAdapter, take };

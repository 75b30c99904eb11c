/* See cache.h. libmicrohttpd counts references to a response: each slot holds one, each connection that is sending it another. */
#include "cache.h"

#include <stdlib.h>

#define SETS      512
#define ASKED     4096
#define WAYS      2
#define BYTES_MAX 8192 /* of one body; with the slots this bounds the memory */
#define KEY_MAX   512

struct slot {
	uint64_t hash, version;
	char *key;
	size_t key_len;
	struct cached cached;
};

struct cache {
	uint32_t asked[ASKED]; /* by hash: what has been asked for once lately */
	struct slot slots[SETS * WAYS];
};

struct cache *cache_create(void)
{
	return xcalloc(1, sizeof(struct cache));
}

void cache_destroy(struct cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < SETS * WAYS; i++) {
		free(cache->slots[i].key);
		if (cache->slots[i].cached.response)
			MHD_destroy_response(cache->slots[i].cached.response);
	}
	free(cache);
}

static uint64_t hash_of(const struct str *key)
{
	uint64_t hash = UINT64_C(0x9E3779B97F4A7C15) ^ key->len;

	for (size_t i = 0; i < key->len; i += 8) {
		uint64_t word = 0;

		memcpy(&word, key->buf + i, MIN(key->len - i, (size_t)8));
		hash = (hash ^ word) * UINT64_C(0xE7037ED1A0B428DB);
		hash ^= hash >> 29;
	}
	return hash;
}

/* The slot that holds the key; if none does, that which is to be given to it: one of an earlier version, else the first of its set. */
static struct slot *find(struct cache *cache, const struct str *key, uint64_t hash, uint64_t version)
{
	struct slot *set = &cache->slots[hash % SETS * WAYS], *old = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].hash == hash && set[i].key_len == key->len && memcmp(set[i].key, key->buf, key->len) == 0)
			return &set[i];
		if (set[i].version != version)
			old = &set[i];
	}
	return old;
}

bool cache_find(struct cache *cache, const struct str *key, uint64_t version, struct cached *ret_cached)
{
	uint64_t hash = hash_of(key);
	const struct slot *slot = find(cache, key, hash, version);

	if (slot->hash != hash || slot->version != version || slot->key_len != key->len ||
		memcmp(slot->key, key->buf, key->len) != 0)
		return false;
	*ret_cached = slot->cached;
	return true;
}

bool cache_keep(struct cache *cache, const struct str *key, uint64_t version, const struct cached *cached)
{
	uint64_t hash = hash_of(key);
	struct slot *slot = find(cache, key, hash, version);

	if (cached->bytes > BYTES_MAX || key->len > KEY_MAX)
		return false;
	/* What is asked for only once (a search, an odd filter) would only push out what many ask for. */
	if (cache->asked[hash % ASKED] != (uint32_t)(hash >> 32)) {
		cache->asked[hash % ASKED] = (uint32_t)(hash >> 32);
		return false;
	}
	if (slot->cached.response)
		MHD_destroy_response(slot->cached.response);
	if (slot->key_len != key->len)
		slot->key = xrealloc(slot->key, key->len + 1);
	memcpy(slot->key, key->buf, key->len);
	slot->key_len = key->len;
	slot->hash = hash;
	slot->version = version;
	slot->cached = *cached;
	return true;
}

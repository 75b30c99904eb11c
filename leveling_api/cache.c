/* See cache.h. libmicrohttpd counts references to a response: each slot holds one, each connection that is sending it another. */
#include "cache.h"

#include <stdlib.h>

#define SLOTS     2048
#define BYTES_MAX 8192 /* of one body; with the slots this bounds the memory */
#define KEY_MAX   512

struct slot {
	uint64_t hash, version;
	char *key;
	size_t key_len;
	struct cached cached;
};

struct cache {
	struct slot slots[SLOTS];
};

struct cache *cache_create(void)
{
	return xcalloc(1, sizeof(struct cache));
}

void cache_destroy(struct cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < SLOTS; i++) {
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

bool cache_find(struct cache *cache, const struct str *key, uint64_t version, struct cached *ret_cached)
{
	uint64_t hash = hash_of(key);
	const struct slot *slot = &cache->slots[hash % SLOTS];

	if (slot->hash != hash || slot->version != version || slot->key_len != key->len ||
		memcmp(slot->key, key->buf, key->len) != 0)
		return false;
	*ret_cached = slot->cached;
	return true;
}

bool cache_keep(struct cache *cache, const struct str *key, uint64_t version, const struct cached *cached)
{
	uint64_t hash = hash_of(key);
	struct slot *slot = &cache->slots[hash % SLOTS];

	if (cached->bytes > BYTES_MAX || key->len > KEY_MAX)
		return false;
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

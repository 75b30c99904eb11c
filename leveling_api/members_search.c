/* Searching by name. A signature of 64 bits a member (one bit per character and per pair of neighbours of the folded name) rules out
 * nearly all members at the price of reading 8 bytes each; names are compared only where the signature allows. What many names hold is
 * found often enough among the first of the ranking, and nothing more is read: only among more members than that can the whole name of
 * somebody further down be missed. */
#include "members_internal.h"

#include <stdlib.h>

#include "base/utf8.h"

/* So many of the best are looked at before the rest. */
#define LOOK_FIRST 8192
#define BATCH      64

/* Appends the name folded; names in ASCII, by far the most, take a short way. */
static void fold(struct str *out, const char *name, size_t len)
{
	unsigned char all = 0;
	char *text;

	str_reserve(out, len);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		all |= c;
		out->buf[out->len + i] = (char)(c | (c >= 'A' && c <= 'Z' ? 0x20 : 0));
	}
	if (all < 0x80) {
		out->len += len;
		out->buf[out->len] = '\0';
		return;
	}
	text = xstrndup(name, len);
	if (utf8_fold(out, text) < 0)
		str_add(out, name, len);
	free(text);
}

static uint64_t bits(const char *text, size_t len)
{
	uint64_t signature = 0;
	uint32_t previous = 0;

	for (size_t i = 0; i < len; i++) {
		uint32_t c = (unsigned char)text[i];

		signature |= UINT64_C(1) << ((c * 2654435761u) >> 26);
		if (i > 0)
			signature |= UINT64_C(1) << (((previous * 31 + c) * 2246822519u) >> 26);
		previous = c;
	}
	return signature;
}

uint64_t members_signature(const char *name, size_t len)
{
	struct str text cleanup(str_finish) = STR_INIT;

	fold(&text, name, len);
	return bits(text.buf, text.len);
}

/* How well a name fits; what a search box should show first comes first. */
enum match { MATCH_WHOLE, MATCH_START, MATCH_INSIDE, MATCH_NONE };

struct hit {
	uint32_t slot;
	enum match match;
};

struct search {
	const struct members *members;
	struct str wanted, folded;
	uint64_t signature;
	struct hit *hits; /* the best so far, in order */
	size_t count, max;
};

static enum match match_name(struct search *search, uint32_t slot)
{
	const char *name, *at;
	size_t len;

	name = members_name(search->members, &search->members->list[slot], &len);
	if (!name)
		return MATCH_NONE;
	str_clear(&search->folded);
	fold(&search->folded, name, len);
	at = memmem(search->folded.buf, search->folded.len, search->wanted.buf, search->wanted.len);
	if (!at)
		return MATCH_NONE;
	if (at > search->folded.buf)
		return MATCH_INSIDE;
	return search->folded.len == search->wanted.len ? MATCH_WHOLE : MATCH_START;
}

static bool is_better(const struct search *search, struct hit a, struct hit b)
{
	return a.match != b.match ? a.match < b.match : members_before(search->members, a.slot, b.slot);
}

static void look_at(struct search *search, uint32_t slot)
{
	struct hit hit = { .slot = slot };
	size_t at = search->count;

	if (!member_is_present(&search->members->list[slot]))
		return;
	hit.match = match_name(search, slot);
	if (hit.match == MATCH_NONE || (at == search->max && !is_better(search, hit, search->hits[at - 1])))
		return;
	if (at == search->max)
		at--;
	else
		search->count++;
	for (; at > 0 && is_better(search, hit, search->hits[at - 1]); at--)
		search->hits[at] = search->hits[at - 1];
	search->hits[at] = hit;
}

static bool is_possible(const struct search *search, uint32_t slot)
{
	return (search->members->signatures[slot] & search->signature) == search->signature;
}

/* Their memory is asked for all at once: among a million members each would be a wait of its own. */
static void look_at_each(struct search *search, const uint32_t *slots, size_t count)
{
	members_prefetch(search->members, slots, count);
	for (size_t i = 0; i < count; i++)
		look_at(search, slots[i]);
}

/* Returns how many those are. */
static size_t look_at_first(struct search *search)
{
	uint32_t slots[BATCH];
	size_t position = 0, count, possible;

	do {
		count = ranking_read(search->members->present, position, BATCH, slots);
		possible = 0;
		for (size_t i = 0; i < count; i++) {
			if (is_possible(search, slots[i]))
				slots[possible++] = slots[i];
		}
		look_at_each(search, slots, possible);
		position += count;
	} while (count == BATCH && position < LOOK_FIRST);
	return position;
}

static void look_at_all(struct search *search)
{
	uint32_t slots[BATCH];
	size_t count = 0;

	search->count = 0;
	for (uint32_t slot = 0; slot < search->members->count; slot++) {
		if (is_possible(search, slot))
			slots[count++] = slot;
		if (count == BATCH) {
			look_at_each(search, slots, count);
			count = 0;
		}
	}
	look_at_each(search, slots, count);
}

size_t members_search(const struct members *members, const char *text, size_t max, uint32_t *ret_slots)
{
	struct search search = { .members = members, .wanted = STR_INIT, .folded = STR_INIT, .max = max };

	fold(&search.wanted, text, strlen(text));
	search.signature = bits(search.wanted.buf, search.wanted.len);
	search.hits = xmalloc(max * sizeof(*search.hits));
	if (search.wanted.len > 0 && look_at_first(&search) >= LOOK_FIRST && search.count < max)
		look_at_all(&search);
	for (size_t i = 0; i < search.count; i++)
		ret_slots[i] = search.hits[i].slot;
	free(search.hits);
	str_finish(&search.wanted);
	str_finish(&search.folded);
	return search.count;
}

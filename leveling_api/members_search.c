/* Searching by name. A signature of 64 bits a member (one bit per character and per pair of neighbours of the folded name) rules out
 * nearly all members at the price of reading 8 bytes each; names are compared only where the signature allows. Names that many have in
 * common are found among the first of the ranking, and nothing more is read. */
#include "members_internal.h"

#include <stdlib.h>

#include "base/utf8.h"

/* So many of the best are looked at one by one before the signatures of all. */
#define LOOK_FIRST 2048

/* Appends the name folded; names in ASCII, by far the most, take a short way. */
static void fold(struct str *out, const char *name, size_t len)
{
	char *text;

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)name[i] >= 0x80) {
			text = xstrndup(name, len);
			if (utf8_fold(out, text) < 0)
				str_add(out, name, len);
			free(text);
			return;
		}
	}
	str_reserve(out, len);
	text = out->buf + out->len;
	for (size_t i = 0; i < len; i++)
		text[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
	text[len] = '\0';
	out->len += len;
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

struct search {
	const struct members *members;
	struct str wanted, folded;
	uint64_t signature;
};

static bool matches(struct search *search, uint32_t slot)
{
	const char *name;
	size_t len;

	if ((search->members->signatures[slot] & search->signature) != search->signature)
		return false;
	name = members_name(search->members, &search->members->list[slot], &len);
	if (!name)
		return false;
	str_clear(&search->folded);
	fold(&search->folded, name, len);
	return memmem(search->folded.buf, search->folded.len, search->wanted.buf, search->wanted.len) != NULL;
}

/* Keeps the best `max`, sorted. */
static void keep_best(const struct members *members, uint32_t *slots, size_t *count, size_t max, uint32_t slot)
{
	size_t at = *count;

	if (at == max && !members_before(members, slot, slots[max - 1]))
		return;
	if (at == max)
		at--;
	else
		(*count)++;
	for (; at > 0 && members_before(members, slot, slots[at - 1]); at--)
		slots[at] = slots[at - 1];
	slots[at] = slot;
}

size_t members_search(const struct members *members, const char *text, size_t max, uint32_t *ret_slots)
{
	struct search search = { .members = members, .wanted = STR_INIT, .folded = STR_INIT };
	uint32_t first[LOOK_FIRST];
	size_t count = 0, read;

	fold(&search.wanted, text, strlen(text));
	search.signature = bits(search.wanted.buf, search.wanted.len);
	read = ranking_read(members->present, 0, LOOK_FIRST, first);
	for (size_t i = 0; i < read && count < max; i++) {
		if (matches(&search, first[i]))
			ret_slots[count++] = first[i];
	}
	if (count < max && read == LOOK_FIRST) {
		count = 0;
		for (uint32_t slot = 0; slot < members->count; slot++) {
			if ((members->signatures[slot] & search.signature) == search.signature &&
				member_is_present(&members->list[slot]) && matches(&search, slot))
				keep_best(members, ret_slots, &count, max, slot);
		}
	}
	str_finish(&search.wanted);
	str_finish(&search.folded);
	return count;
}

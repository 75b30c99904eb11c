/* An ordered set of slots (positions in somebody's array) with order statistics: the element at a position and the position of an
 * element in logarithmic time, and the same among those elements whose value lies in a range. 4 to 8 bytes an element, so that a
 * million members in several orders fit where a tree of nodes would not.
 *
 * The elements stand in blocks of at most 512, in order, and these in groups. The order is the owner's: `before` looks at the owner's
 * array. An element whose key changes is removed before and inserted after the change. Once asked about values, it keeps them: ten
 * bytes more an element.
 */
#ifndef MODELS_RANKING_H
#define MODELS_RANKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

struct ranking;

struct ranking_order {
	/* Whether slot a stands before slot b; a strict total order (no two elements are equal). */
	bool (*before)(const void *arg, uint32_t a, uint32_t b);
	/* By what the ..._in_range() functions count; NULL when they are not used. */
	int64_t (*value)(const void *arg, uint32_t slot);
	const void *arg;
};

struct ranking *ranking_create(const struct ranking_order *order) warn_unused;
void ranking_destroy(struct ranking *ranking);
/* Replaces all elements by these, in any order. The array is sorted in place. */
void ranking_build(struct ranking *ranking, uint32_t *slots, size_t count);
void ranking_insert(struct ranking *ranking, uint32_t slot);
/* The element must be there, with the key that it was inserted with. */
void ranking_remove(struct ranking *ranking, uint32_t slot);
/* The element's value, not its key, has changed. */
void ranking_value_changed(struct ranking *ranking, uint32_t slot);

size_t ranking_count(const struct ranking *ranking);
/* 0-based position of an element that is there. */
size_t ranking_position(const struct ranking *ranking, uint32_t slot);
/* How many elements come before a key that need not be an element's: `after_key` says whether a slot stands at or after it. */
size_t ranking_count_before(
	const struct ranking *ranking, bool (*after_key)(const void *key, uint32_t slot), const void *key);
/* Copies up to `max` slots from `position` on; returns how many. */
size_t ranking_read(const struct ranking *ranking, size_t position, size_t max, uint32_t *ret_slots);

/* The same among the elements whose value is at least `low` and at most `high`. The first call collects and sorts all values; from then on
 * a call looks at each group and into one of them, wherever the position is, and a change costs moving half of a group's values. */
size_t ranking_count_in_range(struct ranking *ranking, int64_t low, int64_t high);
size_t ranking_read_in_range(
	struct ranking *ranking, int64_t low, int64_t high, size_t position, size_t max, uint32_t *ret_slots);

#endif

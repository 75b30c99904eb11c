/* uthash, made readable for the static analyser: inside the macros it loses track of what belongs to the table and
 * reports uses of freed memory that there are none of. For it alone they become calls of functions about which it
 * knows nothing.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <uthash.h>

#ifdef __clang_analyzer__
void *hash_unknown(const void *head, ...);
unsigned hash_unknown_count(const void *head);

#undef HASH_FIND
#undef HASH_FIND_STR
#undef HASH_ADD
#undef HASH_ADD_STR
#undef HASH_REPLACE
#undef HASH_DEL
#undef HASH_COUNT
#define HASH_FIND(hh, head, key, len, found)  ((found) = hash_unknown(head, key))
#define HASH_FIND_STR(head, key, found)       ((found) = hash_unknown(head, key))
#define HASH_ADD(hh, head, field, len, entry) ((head) = hash_unknown(head, entry))
#define HASH_ADD_STR(head, field, entry)      ((head) = hash_unknown(head, entry))
#define HASH_REPLACE(hh, head, field, len, entry, replaced) \
	((replaced) = hash_unknown(head), (head) = hash_unknown(head, entry))
#define HASH_DEL(head, entry) ((head) = hash_unknown(head, entry))
#define HASH_COUNT(head)      hash_unknown_count(head)
#endif

#endif

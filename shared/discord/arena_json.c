/* A JSON tree in an arena: what is parsed from it may be kept as long as the arena, with every string in its place. */
#include "rest_internal.h"

static cJSON *copy_value(struct arena *arena, const cJSON *json)
{
	cJSON *copy = arena_copy(arena, json, sizeof(*json));

	copy->next = copy->prev = copy->child = NULL;
	copy->string = arena_strdup(arena, json->string);
	copy->valuestring = arena_strdup(arena, json->valuestring);
	return copy;
}

/* Recursion is bounded by JSON_DEPTH_MAX, which json_parse() enforces. */
static cJSON *copy_tree(struct arena *arena, const cJSON *json)
{
	cJSON *copy = copy_value(arena, json), *last = NULL;

	json_array_each (item, json) {
		cJSON *child = copy_tree(arena, item);

		child->prev = last;
		if (last)
			last->next = child;
		else
			copy->child = child;
		last = child;
	}
	if (copy->child)
		copy->child->prev = last; /* as cJSON keeps its lists */
	return copy;
}

const cJSON *arena_json(struct arena *arena, const cJSON *json)
{
	return json ? copy_tree(arena, json) : NULL;
}

/* REST calls that go wrong on demand: see rest_faults.h. */
#include "rest_faults.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>

struct rest_faults {
	struct fake_rest_fault list[REST_FAULTS_MAX]; /* strings are ours */
	size_t count;
};

struct rest_faults *rest_faults_create(void)
{
	return xcalloc(1, sizeof(struct rest_faults));
}

static void remove_fault(struct rest_faults *faults, size_t index)
{
	free((char *)faults->list[index].method);
	free((char *)faults->list[index].path);
	faults->count--;
	memmove(&faults->list[index], &faults->list[index + 1], (faults->count - index) * sizeof(faults->list[0]));
}

void rest_faults_destroy(struct rest_faults *faults)
{
	if (!faults)
		return;
	while (faults->count)
		remove_fault(faults, 0);
	free(faults);
}

bool rest_faults_take(struct rest_faults *faults, const char *method, const char *path, const char *template,
	struct fake_rest_fault *ret_fault)
{
	for (size_t i = 0; i < faults->count; i++) {
		struct fake_rest_fault *fault = &faults->list[i];

		if (fault->method && !streq(fault->method, method))
			continue;
		if (fault->path && !streq(fault->path, template) && fnmatch(fault->path, path, 0) != 0)
			continue;
		if (fault->skip > 0) {
			fault->skip--;
			continue;
		}
		*ret_fault = *fault;
		ret_fault->method = ret_fault->path = NULL;
		if (fault->count > 0 && --fault->count == 0)
			remove_fault(faults, i);
		return true;
	}
	return false;
}

int fake_rest_fault(struct fake *fake, const struct fake_rest_fault *fault)
{
	struct rest_faults *faults = fake->faults;
	struct fake_rest_fault *kept;

	if (faults->count == REST_FAULTS_MAX)
		return -ENOBUFS;
	kept = &faults->list[faults->count++];
	*kept = *fault;
	kept->method = fault->method ? xstrdup(fault->method) : NULL;
	kept->path = fault->path ? xstrdup(fault->path) : NULL;
	if (!kept->count)
		kept->count = 1;
	if (!kept->status)
		kept->status = 503;
	if (!kept->delay)
		kept->delay = SECOND;
	return 0;
}

void fake_rest_clear_faults(struct fake *fake)
{
	while (fake->faults->count)
		remove_fault(fake->faults, 0);
}

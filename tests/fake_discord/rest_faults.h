/* REST calls that go wrong on demand: a bounded list of faults, each for some calls of a method and path. */
#ifndef FAKE_REST_FAULTS_H
#define FAKE_REST_FAULTS_H

#include "fake.h"

#define REST_FAULTS_MAX 64

struct rest_faults *rest_faults_create(void);
void rest_faults_destroy(struct rest_faults *faults);
/* Whether a fault hits this call; it is counted. */
bool rest_faults_take(struct rest_faults *faults, const char *method, const char *path, const char *template,
	struct fake_rest_fault *ret_fault);

#endif

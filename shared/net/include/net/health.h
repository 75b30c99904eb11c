/* GET /healthz (200 or 503, JSON with the reason) and GET /metrics for a service. */
#ifndef NET_HEALTH_H
#define NET_HEALTH_H

#include "net/httpd.h"

struct health;

/* Appends the reason why the service is not healthy, nothing when it is. Called per request. */
typedef void health_check_fn(void *arg, struct str *reason);
int health_create(struct loop *loop, const char *service, const char *bind, int port, health_check_fn *check, void *arg,
	struct health **ret_health) warn_unused;
void health_destroy(struct health *health);
int health_port(const struct health *health);

#endif

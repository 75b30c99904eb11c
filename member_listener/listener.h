/* What walle-member-listener does with the gateway's events; the functions of its struct service_definition. */
#ifndef LISTENER_H
#define LISTENER_H

#include "service/service.h"

int listener_start(struct service *service, bool resuming);
int listener_dispatch(struct service *service, const char *event, const cJSON *d, bool replayed);
void listener_stop(struct service *service);
void listener_finish(struct service *service);
void listener_check(struct service *service, struct str *reason);
void listener_dump(struct service *service, struct str *out);

#endif

/* See names.h. */
#include "names.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"

/* How long a name that begins with "slow." takes. */
#define SLOWNESS_US 1000000

static atomic_int at_work;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	static const struct {
		const char *name, *addresses[3];
	} names[] = {
		{ "127.0.0.1", { "127.0.0.1" } },
		{ "127.0.0.2", { "127.0.0.2" } },
		{ "::1", { "::1" } },
		{ "localhost", { "127.0.0.1" } },
		{ "two.test", { "127.0.0.2", "127.0.0.1" } },
		{ "six.test", { "::1", "127.0.0.1" } },
	};
	struct addrinfo *list = NULL, **end = &list;

	(void)service;
	(void)hints;
	atomic_fetch_add(&at_work, 1);
	if (strncmp(node, "slow.", 5) == 0)
		usleep(SLOWNESS_US);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i].name, node) != 0)
			continue;
		for (size_t j = 0; j < ARRAY_SIZE(names[i].addresses) && names[i].addresses[j] != NULL; j++) {
			struct addrinfo *a = calloc(1, sizeof(*a) + sizeof(struct sockaddr_in6));
			struct sockaddr_in *v4 = (struct sockaddr_in *)(a + 1);
			struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(a + 1);

			a->ai_socktype = SOCK_STREAM;
			a->ai_addr = (struct sockaddr *)(a + 1);
			if (inet_pton(AF_INET, names[i].addresses[j], &v4->sin_addr) == 1) {
				a->ai_family = v4->sin_family = AF_INET;
				a->ai_addrlen = sizeof(*v4);
			} else {
				inet_pton(AF_INET6, names[i].addresses[j], &v6->sin6_addr);
				a->ai_family = v6->sin6_family = AF_INET6;
				a->ai_addrlen = sizeof(*v6);
			}
			*end = a;
			end = &a->ai_next;
		}
	}
	*result = list;
	atomic_fetch_sub(&at_work, 1);
	return list != NULL ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
	while (list != NULL) {
		struct addrinfo *next = list->ai_next;

		free(list);
		list = next;
	}
}

void names_wait(void)
{
	while (atomic_load(&at_work) > 0)
		usleep(10 * 1000);
}

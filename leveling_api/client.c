/* See client.h. */
#include "client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

void client_address_text(const struct sockaddr *address, char *out, size_t size)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;

	snprintf(out, size, "unknown");
	if (address->sa_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, out, (socklen_t)size);
	else if (address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], out, (socklen_t)size);
	else if (address->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, out, (socklen_t)size);
}

static bool is_address(const char *text)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* The list grows to the right, a proxy at a time; the last entry that is no trusted proxy is the client. */
static const char *forwarded_client(const char *trusted, const struct request *request)
{
	const char *list = request->forwarded_for, *client = NULL;
	size_t end = strlen(list);

	while (end > 0) {
		size_t start = end;
		char *entry;

		while (start > 0 && list[start - 1] != ',')
			start--;
		while (start < end && list[start] == ' ')
			start++;
		entry = arena_strndup(request->arena, list + start, end - start);
		entry[strcspn(entry, " \t")] = '\0';
		if (!is_address(entry))
			break;
		client = entry;
		if (!request_list_has(trusted, client))
			break;
		while (end > 0 && list[end - 1] != ',')
			end--;
		end -= end > 0;
	}
	return client;
}

/* For every request, hence by hand. */
static char *join(struct arena *arena, const char *a, const char *b, const char *c)
{
	char *text = arena_alloc(arena, strlen(a) + strlen(b) + strlen(c) + 1);

	stpcpy(stpcpy(stpcpy(text, a), b), c);
	return text;
}

void client_resolve(
	const struct settings *settings, const char *peer, const char *fallback_host, struct request *request)
{
	bool trusted = *settings->trusted_proxies && request_list_has(settings->trusted_proxies, peer);
	const char *scheme = "http", *client;

	request->address = peer;
	if (trusted && request->forwarded_for) {
		client = forwarded_client(settings->trusted_proxies, request);
		if (client)
			request->address = client;
	}
	if (trusted && request->forwarded_host && request_host_valid(request->forwarded_host))
		request->host = request->forwarded_host;
	if (trusted && request->forwarded_proto && streq(request->forwarded_proto, "https"))
		scheme = "https";
	if (*settings->public_url)
		request->base = settings->public_url;
	else
		request->base = join(request->arena, scheme, "://", request->host ? request->host : fallback_host);
}

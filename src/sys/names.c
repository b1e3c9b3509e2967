/* SPDX-License-Identifier: MIT */
/* See names.h. */
#include "sys/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

_Static_assert(sizeof(struct sockaddr_storage) <=
		       sizeof(((struct ferryi_name *)0)->bytes),
	       "every name has room");

static struct sockaddr_in *v4(const struct ferryi_name *n)
{
	return (struct sockaddr_in *)n->bytes;
}

static struct sockaddr_in6 *v6(const struct ferryi_name *n)
{
	return (struct sockaddr_in6 *)n->bytes;
}

/* --- to names ------------------------------------------------------------ */

int ferryi_name_of_path(struct ferryi_name *out, const char *path)
{
	struct sockaddr_un *to = (struct sockaddr_un *)out->bytes;
	size_t len = strlen(path);
	bool abstract = path[0] == '@';

	if (len >= sizeof to->sun_path)
		return -ENAMETOOLONG;
	memset(out, 0, sizeof *out);
	to->sun_family = AF_UNIX;
	memcpy(to->sun_path, path, len);
	if (abstract)
		to->sun_path[0] = 0;
	out->size = (unsigned)(offsetof(struct sockaddr_un, sun_path) + len +
			       !abstract);
	return 0;
}

static void set_v4(struct ferryi_name *out, unsigned port)
{
	memset(out, 0, sizeof *out);
	out->size = sizeof(struct sockaddr_in);
	v4(out)->sin_family = AF_INET;
	v4(out)->sin_port = htons((uint16_t)port);
}

static void set_v6(struct ferryi_name *out, unsigned port)
{
	memset(out, 0, sizeof *out);
	out->size = sizeof(struct sockaddr_in6);
	v6(out)->sin6_family = AF_INET6;
	v6(out)->sin6_port = htons((uint16_t)port);
}

/* The interface behind the '%' of a link-local address, by name or number. */
static int read_scope(const char *text, uint32_t *out)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n > UINT32_MAX)
		n = if_nametoindex(text);
	*out = (uint32_t)n;
	return n ? 0 : -ENODEV;
}

int ferryi_name_of_host(struct ferryi_name *out, const char *host,
			unsigned port)
{
	char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 1], *scope;

	set_v4(out, port);
	if (inet_pton(AF_INET, host, &v4(out)->sin_addr) == 1)
		return 0;
	if (strlen(host) >= sizeof text)
		return -EINVAL;
	strcpy(text, host);
	scope = strchr(text, '%');
	if (scope)
		*scope++ = 0;
	set_v6(out, port);
	if (inet_pton(AF_INET6, text, &v6(out)->sin6_addr) != 1)
		return -EINVAL;
	return scope ? read_scope(scope, &v6(out)->sin6_scope_id) : 0;
}

void ferryi_name_of_all(struct ferryi_name *out, bool both, unsigned port)
{
	if (both)
		set_v6(out, port);
	else
		set_v4(out, port);
}

static int lookup_error(int why)
{
	switch (why) {
	case EAI_AGAIN: return -EAGAIN;
	case EAI_MEMORY: return -ENOMEM;
	case EAI_SYSTEM: return errno == EMFILE ? -EMFILE : -EAGAIN;
	}
	return -ENOENT;
}

int ferryi_name_lookup(struct ferryi_name *out, unsigned max, const char *host,
		       unsigned port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list;
	int why = getaddrinfo(host, NULL, &hints, &list);
	unsigned n = 0;

	if (why != 0)
		return lookup_error(why);
	for (struct addrinfo *a = list; a && n < max; a = a->ai_next) {
		if (a->ai_family != AF_INET && a->ai_family != AF_INET6)
			continue;
		memset(&out[n], 0, sizeof out[n]);
		out[n].size = a->ai_addrlen;
		memcpy(out[n].bytes, a->ai_addr, a->ai_addrlen);
		/* The port lies at the same place in both kinds. */
		v4(&out[n++])->sin_port = htons((uint16_t)port);
	}
	freeaddrinfo(list);
	return n > 0 ? (int)n : -ENOENT;
}

/* --- from names ---------------------------------------------------------- */

int ferryi_name_family(const struct ferryi_name *n)
{
	return n->size < sizeof(sa_family_t) ?
		       AF_UNSPEC :
		       ((const struct sockaddr *)n->bytes)->sa_family;
}

bool ferryi_name_is_ip(const struct ferryi_name *n)
{
	int family = ferryi_name_family(n);

	return family == AF_INET || family == AF_INET6;
}

bool ferryi_name_is_v6(const struct ferryi_name *n)
{
	return ferryi_name_family(n) == AF_INET6;
}

unsigned ferryi_name_port(const struct ferryi_name *n)
{
	return ntohs(v4(n)->sin_port);
}

bool ferryi_name_lacks_interface(const struct ferryi_name *n)
{
	return ferryi_name_is_v6(n) && v6(n)->sin6_scope_id == 0 &&
	       IN6_IS_ADDR_LINKLOCAL(&v6(n)->sin6_addr);
}

bool ferryi_name_same(const struct ferryi_name *a, const struct ferryi_name *b)
{
	return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

void ferryi_name_for_both(struct ferryi_name *n)
{
	struct ferryi_name old = *n;

	if (ferryi_name_family(n) != AF_INET)
		return;
	set_v6(n, ferryi_name_port(&old));
	v6(n)->sin6_addr.s6_addr[10] = v6(n)->sin6_addr.s6_addr[11] = 0xff;
	memcpy(v6(n)->sin6_addr.s6_addr + 12, &v4(&old)->sin_addr, 4);
}

static int format_path(const struct ferryi_name *n, char *out)
{
	const struct sockaddr_un *a = (const struct sockaddr_un *)n->bytes;
	size_t len = n->size - offsetof(struct sockaddr_un, sun_path);
	bool abstract;

	if (n->size <= offsetof(struct sockaddr_un, sun_path) ||
	    len > sizeof a->sun_path)
		return -EINVAL;
	abstract = !a->sun_path[0];
	if (!abstract)
		len = strnlen(a->sun_path, len);
	else if (len == 1 || memchr(a->sun_path + 1, 0, len - 1))
		return -EINVAL;
	memcpy(out, a->sun_path, len);
	if (abstract)
		out[0] = '@';
	out[len] = 0;
	return 0;
}

static void format_v6(const struct ferryi_name *n, char *out)
{
	char host[INET6_ADDRSTRLEN] = "", scope[IF_NAMESIZE + 1] = "";
	const struct sockaddr_in6 *a = v6(n);

	inet_ntop(AF_INET6, &a->sin6_addr, host, sizeof host);
	if (a->sin6_scope_id) {
		scope[0] = '%';
		if (!if_indextoname(a->sin6_scope_id, scope + 1))
			snprintf(scope + 1, sizeof scope - 1, "%u",
				 (unsigned)a->sin6_scope_id);
	}
	snprintf(out, FERRYI_NAME_TEXT, "[%s%s]:%u", host, scope,
		 ntohs(a->sin6_port));
}

static void format_v4(const void *address, unsigned port, char *out)
{
	char host[INET_ADDRSTRLEN] = "";

	inet_ntop(AF_INET, address, host, sizeof host);
	snprintf(out, FERRYI_NAME_TEXT, "%s:%u", host, port);
}

int ferryi_name_format(const struct ferryi_name *n, char out[FERRYI_NAME_TEXT])
{
	const struct in6_addr *a = &v6(n)->sin6_addr;

	switch (ferryi_name_family(n)) {
	case AF_UNIX: return format_path(n, out);
	case AF_INET:
		format_v4(&v4(n)->sin_addr, ferryi_name_port(n), out);
		return 0;
	case AF_INET6:
		if (IN6_IS_ADDR_V4MAPPED(a))
			format_v4(a->s6_addr + 12, ferryi_name_port(n), out);
		else
			format_v6(n, out);
		return 0;
	}
	return -EINVAL;
}

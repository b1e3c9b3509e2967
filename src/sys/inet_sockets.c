/* SPDX-License-Identifier: MIT */
/* See inet_sockets.h. */
#include "sys/inet_sockets.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define CONNECTED 0x01 /* TCP_ESTABLISHED, of UDP as well */
#define LISTENS	  0x0a /* TCP_LISTEN */

static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

/* Numbers of 32 bits, as they lie in memory: "0100007F" is 127.0.0.1 here. */
static int read_address(const char *hex, bool v6, unsigned char out[16])
{
	unsigned words = v6 ? 4 : 1;
	uint32_t word;

	if (strlen(hex) != 8 * words)
		return -EINVAL;
	memcpy(out, mapped, sizeof mapped);
	for (unsigned i = 0; i < words; i++) {
		if (sscanf(hex + 8 * (size_t)i, "%8" SCNx32, &word) != 1)
			return -EINVAL;
		memcpy(out + (v6 ? 0 : 12) + 4 * (size_t)i, &word, sizeof word);
	}
	return 0;
}

static bool is_zero(const unsigned char *p, size_t n)
{
	while (n && !*p)
		p++, n--;
	return n == 0;
}

static bool is_mapped(const unsigned char *address)
{
	return memcmp(address, mapped, sizeof mapped) == 0;
}

int ferryi_inet_socket_parse(const char *line, bool v6,
			     struct ferryi_inet_socket *out)
{
	char address[33];
	unsigned state;

	memset(out, 0, sizeof *out);
	if (sscanf(line,
		   " %*u: %32[0-9A-Fa-f]:%4x %*32[0-9A-Fa-f]:%*x %x "
		   "%" SCNx32 ":%" SCNx32 " %*x:%*x %*x %*u %*u %" SCNu64,
		   address, &out->port, &state, &out->sending, &out->waiting,
		   &out->inode) != 6 ||
	    read_address(address, v6, out->address) != 0)
		return -EINVAL;
	out->v6 = v6;
	out->listens = state == LISTENS;
	out->connected = state == CONNECTED;
	out->every = v6 ? is_zero(out->address, 16) :
			  is_zero(out->address + 12, 4);
	return 0;
}

void ferryi_inet_socket_format(const struct ferryi_inet_socket *s,
			       char out[FERRYI_NAME_TEXT])
{
	struct sockaddr_in6 it = { .sin6_family = AF_INET6,
				   .sin6_port = htons((uint16_t)s->port) };
	struct ferryi_name n = { .size = sizeof it };

	if (s->every) {
		snprintf(out, FERRYI_NAME_TEXT, "*:%u", s->port);
		return;
	}
	memcpy(&it.sin6_addr, s->address, sizeof it.sin6_addr);
	memcpy(n.bytes, &it, sizeof it);
	ferryi_name_format(&n, out);
}

bool ferryi_inet_socket_is(const struct ferryi_inet_socket *s,
			   const struct ferryi_name *n)
{
	struct ferryi_name both = *n;
	const unsigned char *wanted;

	ferryi_name_for_both(&both);
	wanted = ((struct sockaddr_in6 *)both.bytes)->sin6_addr.s6_addr;
	if (s->port != ferryi_name_port(n))
		return false;
	if (memcmp(s->address, wanted, 16) == 0)
		return true;
	return s->every && (s->v6 || is_mapped(wanted));
}

static int read_table(const char *protocol, bool v6,
		      int (*each)(const struct ferryi_inet_socket *s,
				  void *arg),
		      void *arg)
{
	char path[32], line[512];
	struct ferryi_inet_socket s;
	int r = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/net/%s%s", protocol, v6 ? "6" : "");
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (r == 0 && fgets(line, sizeof line, f))
		if (ferryi_inet_socket_parse(line, v6, &s) == 0)
			r = each(&s, arg);
	fclose(f);
	return r;
}

int ferryi_inet_sockets(const char *protocol,
			int (*each)(const struct ferryi_inet_socket *s,
				    void *arg),
			void *arg)
{
	int r = read_table(protocol, false, each, arg);

	if (r != 0)
		return r;
	r = read_table(protocol, true, each, arg);
	/* A kernel without IPv6 has no such table. */
	return r == -ENOENT ? 0 : r;
}

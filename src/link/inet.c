/* SPDX-License-Identifier: MIT */
/* See inet.h. */
#include "link/inet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "link/endpoint.h"
#include "sys/files.h"
#include "sys/inet.h"
#include "sys/sockets.h"

#define HOST_MAX 255 /* bytes that the name of a host has at most */

/* --- HOST:PORT ----------------------------------------------------------- */

struct text {
	const char *scheme, *whole;
	char host[HOST_MAX + 1];
	unsigned port;
	bool bracketed;
};

static int malformed(const struct text *t, const char *why)
{
	return ferryi_fail(-EINVAL, "%s:%.280s: %s", t->scheme, t->whole, why);
}

static int read_port(struct text *t, const char *digits)
{
	size_t len = strspn(digits, "0123456789");
	unsigned n = 0;

	for (size_t i = 0; i < len && n < 65536; i++)
		n = 10 * n + (unsigned)(digits[i] - '0');
	if (len == 0 || digits[len] || n > 65535)
		return malformed(t, "the port is no number up to 65535 (write "
				    "HOST:7000)");
	t->port = n;
	return 0;
}

static int split(struct text *t)
{
	const char *host = t->whole, *colon = strrchr(host, ':');
	size_t len;

	if (!colon)
		return malformed(t, "a port is missing (write HOST:PORT)");
	len = (size_t)(colon - host);
	t->bracketed = len >= 2 && host[0] == '[' && host[len - 1] == ']';
	if (t->bracketed) {
		host++;
		len -= 2;
	} else if (memchr(host, ':', len)) {
		return malformed(t, "an IPv6 address stands in brackets (write "
				    "[::1]:7000)");
	}
	if (len > HOST_MAX)
		return malformed(t, "a host's name has 255 bytes at most");
	memcpy(t->host, host, len);
	t->host[len] = 0;
	return read_port(t, colon + 1);
}

/* --- what the host is ---------------------------------------------------- */

static void every(struct ferryi_hosts *out, unsigned port)
{
	out->every = true;
	out->n = 2;
	ferryi_name_of_all(&out->at[0], true, port);
	ferryi_name_of_all(&out->at[1], false, port);
}

static void loopback(struct ferryi_hosts *out, unsigned port, bool both)
{
	ferryi_name_of_host(&out->at[out->n++], "127.0.0.1", port);
	if (both)
		ferryi_name_of_host(&out->at[out->n++], "::1", port);
}

static int look_up(struct ferryi_hosts *out, const struct text *t)
{
	int n = ferryi_name_lookup(out->at, FERRYI_HOSTS_MOST, t->host,
				   t->port);

	if (n == -ENOENT)
		return ferryi_fail(-ENOENT,
				   "%s:%s: no host has that name (see getent "
				   "hosts)",
				   t->scheme, t->whole);
	if (n == -EAGAIN)
		return ferryi_fail(-ENOENT,
				   "%s:%s: the host's name cannot be looked up "
				   "now (write its address, or see "
				   "resolv.conf(5))",
				   t->scheme, t->whole);
	if (n < 0)
		return ferryi_fail_sys(-n, "%s:%s", t->scheme, t->whole);
	out->n = (unsigned)n;
	return 0;
}

/* The address that the text has in numbers: 1, 0: it has none. */
static int in_numbers(struct ferryi_hosts *out, const struct text *t)
{
	int err = ferryi_name_of_host(&out->at[0], t->host, t->port);

	out->n = 1;
	if (err == -ENODEV)
		return ferryi_fail(-EINVAL,
				   "%s:%.280s: there is no interface %.100s "
				   "(see ip link)",
				   t->scheme, t->whole,
				   strchr(t->host, '%') + 1);
	return !err && ferryi_name_is_v6(&out->at[0]) == t->bracketed;
}

static int lacks_interface(const struct text *t)
{
	return ferryi_fail(-EINVAL,
			   "%s:%.280s: a link-local address needs its "
			   "interface (write [%.100s%%25eth0]:%u)",
			   t->scheme, t->whole, t->host, t->port);
}

/* Between brackets, or where no name is looked up. */
static int no_address(const struct text *t)
{
	return t->bracketed ?
		       malformed(t, "between the brackets stands no IPv6 "
				    "address (write [::1]:7000)") :
		       malformed(t, "a message goes to an address in numbers "
				    "(open a link to a name)");
}

/* Words that stand for addresses. */
static bool in_words(struct ferryi_hosts *out, const struct text *t)
{
	if (t->bracketed)
		return false;
	if (strcmp(t->host, "*") == 0)
		every(out, t->port);
	else if (!*t->host)
		loopback(out, t->port, false);
	else if (strcmp(t->host, "localhost") == 0)
		loopback(out, t->port, true);
	else
		return false;
	return true;
}

static int understand(struct ferryi_hosts *out, const struct text *t,
		      enum ferryi_hosts_use use)
{
	bool bind = use == FERRYI_HOSTS_TO_BIND;
	int r;

	out->n = 0;
	out->every = false;
	if (!t->port && !bind)
		return malformed(t, "port 0 is no destination (the system "
				    "chooses one for who listens)");
	if (!t->bracketed && strcmp(t->host, "*") == 0 && !bind)
		return malformed(t, "* is for who listens or receives (name "
				    "one host)");
	if (in_words(out, t))
		return 0;
	r = in_numbers(out, t);
	if (r > 0 && use == FERRYI_HOSTS_TO_CONNECT &&
	    ferryi_name_lacks_interface(&out->at[0]))
		return lacks_interface(t);
	if (r != 0)
		return r < 0 ? r : 0;
	return t->bracketed || use == FERRYI_HOSTS_TO_SEND ? no_address(t) :
							     look_up(out, t);
}

int ferryi_hosts_parse(struct ferryi_hosts *out, const char *scheme,
		       const char *text, enum ferryi_hosts_use use)
{
	struct text t = { .scheme = scheme, .whole = text };
	int err = split(&t);

	return err ? err : understand(out, &t, use);
}

/* --- binding ------------------------------------------------------------- */

static int not_bound(struct ferry_link *l, const struct ferryi_name *n, int err)
{
	char where[FERRYI_NAME_TEXT] = "";

	ferryi_name_format(n, where);
	if (err == -EINVAL && ferryi_name_lacks_interface(n))
		return ferryi_fail(-EINVAL,
				   "%s: a link-local address needs its "
				   "interface (as in [fe80::1%%25eth0])",
				   l->address);
	switch (err) {
	case -EADDRINUSE:
		return ferryi_fail(-EBUSY,
				   "%s: port %u is in use (see ss -lntup; "
				   "port 0 lets the system choose)",
				   l->address, ferryi_name_port(n));
	case -EADDRNOTAVAIL:
		return ferryi_fail(-ENOENT,
				   "%s: %s is no address of this machine (see "
				   "ip address; * stands for all)",
				   l->address, where);
	case -EACCES:
		return ferryi_fail(-EACCES,
				   "%s: port %u is privileged (choose one from "
				   "1024 on, or see "
				   "net.ipv4.ip_unprivileged_port_start)",
				   l->address, ferryi_name_port(n));
	case -EAFNOSUPPORT:
		return ferryi_fail(-ENOENT,
				   "%s: this machine has no addresses of the "
				   "kind of %s",
				   l->address, where);
	}
	return ferryi_fail_sys(-err, "%s: %s cannot be bound: %s", l->address,
			       where, strerror(-err));
}

static int bind_one(const struct ferryi_name *n, bool stream, bool both)
{
	int fd = ferryi_inet_socket(n, stream, both), err = 0;

	if (fd < 0)
		return fd;
	if (stream)
		err = ferryi_inet_reuse(fd);
	if (!err)
		err = ferryi_inet_bind(fd, n);
	if (!err)
		return fd;
	ferryi_close(fd);
	return err;
}

static bool same_kind(const struct ferryi_name *a, const struct ferryi_name *b)
{
	return ferryi_name_family(a) == ferryi_name_family(b);
}

int ferryi_hosts_match(struct ferry_link *l, struct ferryi_hosts *to,
		       const struct ferryi_hosts *from)
{
	unsigned n = 0;

	for (unsigned i = 0; i < to->n; i++) {
		bool fits = false;

		for (unsigned k = 0; k < from->n; k++)
			fits |= same_kind(&to->at[i], &from->at[k]);
		if (fits)
			to->at[n++] = to->at[i];
	}
	to->n = n;
	if (n == 0)
		return ferryi_fail(-EINVAL,
				   "%s: bind= is of another kind of address "
				   "than the destination (both IPv4, or both "
				   "IPv6)",
				   l->address);
	return 0;
}

int ferryi_hosts_bind(struct ferry_link *l, const struct ferryi_hosts *h,
		      const struct ferryi_name *like, bool stream)
{
	const struct ferryi_name *n = &h->at[0];
	int fd = -EAFNOSUPPORT;

	for (unsigned i = 0; i < h->n; i++) {
		if (like && !same_kind(&h->at[i], like))
			continue;
		n = &h->at[i];
		fd = bind_one(n, stream, h->every && !like);
		/* Without IPv6 the next one is IPv4. */
		if (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL)
			break;
	}
	return fd < 0 ? not_bound(l, n, fd) : fd;
}

/* --- names --------------------------------------------------------------- */

/* A socket of both kinds at every address is what "*" made. */
static bool is_every(const struct ferryi_name *n, int fd)
{
	struct ferryi_name all;

	ferryi_name_of_all(&all, true, ferryi_name_port(n));
	return ferryi_name_same(n, &all) && ferryi_inet_is_for_both(fd);
}

int ferryi_inet_local(struct ferry_link *l, char *buf, size_t size)
{
	struct ferryi_endpoint *e = l->state;
	const char *scheme = l->t->info.scheme;
	struct ferryi_name n;
	int err = ferryi_socket_name(e->in, &n);

	if (err)
		return ferryi_fail_sys(-err, "%s: %s", l->address,
				       strerror(-err));
	if (is_every(&n, e->in))
		return snprintf(buf, size, "%s:*:%u", scheme,
				ferryi_name_port(&n));
	return ferryi_endpoint_name(scheme, &n, buf, size);
}

int ferryi_inet_rename(struct ferry_link *l, const struct ferryi_name *n)
{
	char text[FERRYI_NAME_TEXT + 40];
	int len;

	if (n)
		len = ferryi_endpoint_name(l->t->info.scheme, n, text,
					   sizeof text);
	else
		len = ferryi_inet_local(l, text, sizeof text);
	return len < 0 ? len : ferryi_link_rename(l, text);
}

int ferryi_inet_flag(const struct ferryi_address *a, const char *key, bool *out)
{
	const char *value = ferryi_address_get(a, key);

	if (value && *value)
		return ferryi_fail(-EINVAL,
				   "%s: %s has no value (write just ?%s)",
				   a->scheme, key, key);
	*out = value != NULL;
	return 0;
}

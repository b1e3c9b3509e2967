/* SPDX-License-Identifier: MIT */
/* See opening.h. */
#include "opening.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "address.h"
#include "cancel.h"
#include "report.h"

/* How some openings wait; those of other schemes only where a queue is full. */
static const struct manner {
	const char *scheme;
	bool appears;	 /* for a file: -ENOENT is the end of a wait, too */
	bool round_trip; /* for an answer, without which nothing can be open */
} manners[] = {
	{ "fifo", true, false },
	{ "tcp", false, true },
	{ 0 },
};

static const struct manner *manner_of(const struct ferry_transport_info *t)
{
	const struct manner *m = manners;

	while (m->scheme && strcmp(m->scheme, t->scheme) != 0)
		m++;
	return m;
}

/* Is it our patience that bounds the opening? */
static bool bounded(const char *address, const struct patience *p)
{
	const struct ferry_transport_info *t = address_transport(address);

	if (!t || !(t->promises & FERRY_CAN_CONNECT) ||
	    address_has(address, "timeout", NULL))
		return false;
	return p->nonblock ? !manner_of(t)->round_trip : p->timeout >= 0;
}

static const char *with_timeout(char buf[ADDRESS_SIZE], const char *address,
				const struct patience *p)
{
	int64_t ns = p->nonblock ? 0 : p->timeout;
	bool whole = ns % FERRY_MS(1) == 0;
	char text[32];

	if (!bounded(address, p))
		return address;
	snprintf(text, sizeof text, "%" PRId64 "%s",
		 whole ? ns / FERRY_MS(1) : ns, whole ? "ms" : "ns");
	return address_with(buf, address, "timeout", text);
}

int open_patiently(struct ferry_link **out, const char *address, unsigned flags,
		   const struct patience *p)
{
	char buf[ADDRESS_SIZE];

	return ferry_open(out, with_timeout(buf, address, p), flags);
}

int listen_patiently(struct ferry_link **out, const char *address,
		     const struct patience *p)
{
	char buf[ADDRESS_SIZE];

	return ferry_listen(out, with_timeout(buf, address, p));
}

int opening_failed(const char *name, int err, const struct patience *p)
{
	const struct ferry_transport_info *t = address_transport(name);
	int status = ferry_error_status(err);

	if (cancelled())
		return STATUS_NO;
	if (bounded(name, p) &&
	    (err == -ETIMEDOUT || (err == -ENOENT && manner_of(t)->appears)))
		status = p->nonblock ? STATUS_NO : STATUS_TIMED_OUT;
	return report_status(name, NULL, err, status);
}

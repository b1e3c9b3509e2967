/* SPDX-License-Identifier: MIT */
/* A link becomes a descriptor, and a descriptor a link. */
#include "link/parcel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "link/call.h"
#include "link/framing.h"
#include "link/link.h"
#include "shm/layout.h"
#include "sys/files.h"
#include "sys/passing.h"
#include "sys/sockets.h"

#define MAGIC UINT64_C(0x6c65637261507972) /* "ryParcel" */

/* --- out ----------------------------------------------------------------------- */

static int seal(struct ferry_link *l, const struct ferryi_parcel *p,
		const int *fds)
{
	int ends[2], r = ferryi_socket_pair(FERRYI_SOCKET_SEQPACKET, ends);

	if (r == 0) {
		r = ferryi_pass(ends[0], p, sizeof *p, fds, p->n_fds);
		ferryi_close(ends[0]);
		if (r == 0)
			r = ferryi_keep_over_exec(ends[1]);
		if (r == 0)
			return ends[1];
		ferryi_close(ends[1]);
	}
	return ferryi_fail_sys(-r, "%s: it cannot be exported: %s", l->address,
			       strerror(-r));
}

static int pack(struct ferry_link *l)
{
	struct ferryi_parcel p = { .magic = MAGIC,
				   .format = FERRYI_FORMAT,
				   .flags = l->flags };
	int fds[FERRYI_PARCEL_FDS], r = l->t->pack(l, &p, fds);

	snprintf(p.address, sizeof p.address, "%s", l->address);
	return r < 0 ? r : seal(l, &p, fds);
}

static int unpacked(struct ferry_link *l)
{
	int fd, r;

	if (ferryi_framing_holds(l->framing))
		return ferryi_fail(-EBUSY,
				   "%s: bytes have been read that no message "
				   "was made of yet (receive them first)",
				   l->address);
	fd = l->t->bare(l);
	r = fd < 0 ? fd : ferryi_keep_over_exec(fd);
	if (fd >= 0 && r < 0)
		ferryi_close(fd);
	return r < 0 ? r : fd;
}

static bool has_bare(struct ferry_link *l)
{
	return l->t->bare && l->t->has_bare(l);
}

/* With both turns. */
static int hand_out(struct ferry_link *l)
{
	int fd = has_bare(l) ? unpacked(l) : pack(l);

	if (fd < 0)
		return fd;
	if (l->t->packed)
		l->t->packed(l);
	ferryi_link_free(l);
	return fd;
}

int ferry_export(struct ferry_link *l)
{
	int r;

	ferryi_fail_clear();
	if (!l || l->listening)
		return ferryi_fail(-EINVAL, "there is no connection to export");
	if (!has_bare(l) && (!l->t->pack || l->framing))
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: it cannot be exported (channels and "
				   "pairs of pipes without framing=len32, line "
				   "or nul can, and ends of pipe:)",
				   l->address);
	if (ferryi_turn_take(l, FERRY_SEND, FERRY_NOWAIT) != 0)
		return ferryi_fail(-EBUSY, "%s: another thread is sending",
				   l->address);
	if (ferryi_turn_take(l, FERRY_RECV, FERRY_NOWAIT) != 0)
		r = ferryi_fail(-EBUSY, "%s: another thread is receiving",
				l->address);
	else
		r = hand_out(l);
	if (r >= 0)
		return r;
	ferryi_turn_give(l, FERRY_SEND);
	ferryi_turn_give(l, FERRY_RECV);
	return r;
}

/* --- in ------------------------------------------------------------------------ */

static int no_parcel(int fd)
{
	return ferryi_fail(-EINVAL,
			   "descriptor %d is no exported link (ferry_export() "
			   "makes them, and each is adopted once)",
			   fd);
}

static const struct ferryi_transport *transport_of(const char *address)
{
	size_t n = strcspn(address, ":");

	for (unsigned i = 0; ferryi_transports[i]; i++) {
		const char *scheme = ferryi_transports[i]->info.scheme;

		if (strlen(scheme) == n && memcmp(scheme, address, n) == 0)
			return ferryi_transports[i];
	}
	return NULL;
}

static int check(const struct ferryi_parcel *p, unsigned n_fds)
{
	const struct ferryi_transport *t;

	if (p->magic != MAGIC || p->n_fds != n_fds ||
	    p->flags & ~FERRY_DUPLEX ||
	    !memchr(p->address, 0, sizeof p->address))
		return ferryi_fail(-EBADMSG, "an exported link is damaged");
	if (p->format != FERRYI_FORMAT)
		return ferryi_fail(-EPROTO,
				   "an exported link is of format %u, this "
				   "library's is %u",
				   p->format, FERRYI_FORMAT);
	t = transport_of(p->address);
	return t && t->unpack ?
		       0 :
		       ferryi_fail(-EBADMSG, "an exported link has an address "
					     "that makes no sense");
}

/* Somebody else may have been quicker. */
static int take_out(int fd)
{
	return ferryi_drop_passed(fd) == 0 ? 0 : no_parcel(fd);
}

/* `fds` are the link's once its transport has them, closed otherwise. */
static int unpack(struct ferry_link **out, int fd,
		  const struct ferryi_parcel *p, const int *fds)
{
	const struct ferryi_transport *t = transport_of(p->address);
	struct ferry_link *l;
	int r = ferryi_link_new(&l, t, p->flags, p->address);

	if (r < 0)
		return r;
	r = take_out(fd);
	if (r == 0)
		r = t->unpack(l, p, fds);
	if (r < 0)
		ferryi_link_free(l);
	else
		*out = l;
	return r;
}

int ferry_adopt(struct ferry_link **out, int fd)
{
	struct ferryi_parcel p;
	int fds[FERRYI_PARCEL_FDS], r;
	unsigned n = 0;
	ssize_t len;

	ferryi_fail_clear();
	len = ferryi_passed(fd, &p, sizeof p, fds, FERRYI_PARCEL_FDS, &n, true);
	if (len == -EMFILE)
		return ferryi_fail(-EMFILE, "no descriptors are left for an "
					    "exported link (raise ulimit -n; "
					    "it stays as it is)");
	r = len == sizeof p ? check(&p, n) : no_parcel(fd);
	if (r == 0)
		r = unpack(out, fd, &p, fds);
	if (r < 0) {
		while (n > 0)
			ferryi_close(fds[--n]);
		return r;
	}
	ferryi_close(fd);
	return 0;
}

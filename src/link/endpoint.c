/* SPDX-License-Identifier: MIT */
/* See endpoint.h. */
#include "link/endpoint.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "sys/files.h"
#include "sys/process.h"
#include "sys/sockets.h"
#include "sys/stream.h"
#include "wire/address.h"

static struct ferryi_endpoint *endpoint(struct ferry_link *l)
{
	return l->state;
}

int ferryi_endpoint_mode(const struct ferryi_address *a, unsigned without,
			 unsigned *out)
{
	const char *text = ferryi_address_get(a, "mode");
	unsigned long mode;
	char *end;

	*out = without;
	if (!text)
		return 0;
	mode = strtoul(text, &end, 8);
	if (!*text || *end || text[0] < '0' || text[0] > '7' || mode > 0777)
		return ferryi_fail(-EINVAL,
				   "%s: mode=%.20s is not octal permission "
				   "bits (write 0660)",
				   a->scheme, text);
	*out = (unsigned)mode;
	return 0;
}

void ferryi_endpoint_set(struct ferry_link *l, int in, int out)
{
	struct ferryi_endpoint *e = endpoint(l);

	e->in = in;
	e->out = out;
	e->opened = true;
}

void ferryi_endpoint_fini(struct ferry_link *l)
{
	struct ferryi_endpoint *e = endpoint(l);

	ferryi_copies_fini(&e->copies);
	if (!e->opened)
		return;
	if (e->in >= 0)
		ferryi_close(e->in);
	if (e->out >= 0 && e->out != e->in)
		ferryi_close(e->out);
	e->opened = false;
}

int ferryi_endpoint_interest(struct ferry_link *l, enum ferryi_want want,
			     struct ferryi_wait *w)
{
	if (want == FERRYI_WANT_RECV)
		ferryi_wait_fd(w, endpoint(l)->in, POLLIN);
	else
		ferryi_wait_fd(w, endpoint(l)->out, POLLOUT);
	return 0;
}

/* --- results ------------------------------------------------------------- */

static void set_reset(struct ferryi_endpoint *e)
{
	__atomic_store_n(&e->reset, true, __ATOMIC_RELEASE);
}

static int at_end(struct ferryi_endpoint *e)
{
	return __atomic_load_n(&e->reset, __ATOMIC_ACQUIRE) ? -ECONNRESET :
							      -ENODATA;
}

static int lost(struct ferry_link *l, int err)
{
	set_reset(endpoint(l));
	return ferryi_fail(-ECONNRESET,
			   "%s: the other side can no longer be reached: %s "
			   "(open a new link when it can)",
			   l->address, strerror(-err));
}

static int nobody(struct ferry_link *l)
{
	return ferryi_fail(-ECONNREFUSED,
			   "%s: nobody receives there, and something sent "
			   "before is lost (start the receiver; the link goes "
			   "on)",
			   l->address);
}

int ferryi_endpoint_result(struct ferry_link *l, ssize_t err)
{
	switch (err) {
	case -EAGAIN: return -EAGAIN;
	case -ENODATA: return at_end(endpoint(l));
	case -ECONNRESET: set_reset(endpoint(l)); return -ECONNRESET;
	case -ETIMEDOUT: /* of TCP: nothing to do with a deadline */
	case -EHOSTUNREACH:
	case -ENETUNREACH:
		if (!endpoint(l)->lasting)
			return lost(l, (int)err);
		break;
	case -ECONNREFUSED: /* a datagram socket whose peer has gone */
		if (endpoint(l)->lasting)
			return nobody(l);
		return -ECONNRESET;
	case -EPIPE: /* nobody reads; what comes may end orderly */
	case -ENOTCONN: return -ECONNRESET;
	}
	return ferryi_fail_sys((int)-err, "%s: the kernel refuses: %s",
			       l->address, strerror((int)-err));
}

int ferryi_endpoint_ended(struct ferry_link *l, const char *what)
{
	return ferryi_fail(-ENODATA,
			   "%s: this side has ended %s "
			   "(ferry_shutdown)",
			   l->address, what);
}

/* --- bytes through pipes, files, terminals ------------------------------- */

static ssize_t file_write(struct ferry_link *l, const void *data, size_t len)
{
	struct ferryi_endpoint *e = endpoint(l);
	ssize_t n;

	if (e->ended_out)
		return ferryi_endpoint_ended(l, "sending");
	if (e->careful) {
		if (!ferryi_fd_ready(e->out, POLLOUT))
			return -EAGAIN;
		if (len > PIPE_BUF)
			len = PIPE_BUF;
	}
	n = ferryi_fd_write(e->out, data, len);
	return n < 0 ? ferryi_endpoint_result(l, n) : n;
}

static ssize_t file_read(struct ferry_link *l, void *buf, size_t size)
{
	struct ferryi_endpoint *e = endpoint(l);
	ssize_t n;

	if (e->ended_in)
		return ferryi_endpoint_ended(l, "receiving");
	if (e->careful && !ferryi_fd_ready(e->in, POLLIN))
		return -EAGAIN;
	n = ferryi_fd_read(e->in, buf, size);
	if (n == -EIO) /* a terminal whose other side has hung up */
		return -ENODATA;
	return n > 0 ? n : ferryi_endpoint_result(l, n ? n : -ENODATA);
}

const struct ferryi_stream ferryi_stream_of_files = {
	.write = file_write,
	.read = file_read,
};

/* Close one side's descriptor, unless the other side still needs it. */
static void drop(int *fd, int other)
{
	if (*fd >= 0 && *fd != other)
		ferryi_close(*fd);
	*fd = -1;
}

int ferryi_endpoint_shutdown_files(struct ferry_link *l, unsigned direction)
{
	struct ferryi_endpoint *e = endpoint(l);

	if (direction & FERRY_SEND) {
		e->ended_out = true;
		drop(&e->out, e->in);
	}
	if (direction & FERRY_RECV) {
		e->ended_in = true;
		drop(&e->in, e->out);
	}
	return 0;
}

/* --- bytes through sockets ----------------------------------------------- */

static ssize_t socket_write(struct ferry_link *l, const void *data, size_t len)
{
	struct ferryi_endpoint *e = endpoint(l);
	ssize_t n;

	if (e->ended_out)
		return ferryi_endpoint_ended(l, "sending");
	if (e->careful && !ferryi_fd_ready(e->out, POLLOUT))
		return -EAGAIN;
	n = ferryi_socket_send(e->out, data, len);
	return n < 0 ? ferryi_endpoint_result(l, n) : n;
}

static ssize_t socket_read(struct ferry_link *l, void *buf, size_t size)
{
	struct ferryi_endpoint *e = endpoint(l);
	ssize_t n;

	if (e->ended_in)
		return ferryi_endpoint_ended(l, "receiving");
	n = ferryi_socket_recv(e->in, buf, size);
	if (n == -ECONNRESET) { /* said once; what is queued follows */
		set_reset(e);
		n = ferryi_socket_recv(e->in, buf, size);
	}
	return n > 0 ? n : ferryi_endpoint_result(l, n ? n : -ENODATA);
}

const struct ferryi_stream ferryi_stream_of_socket = {
	.write = socket_write,
	.read = socket_read,
};

int ferryi_endpoint_shutdown_socket(struct ferry_link *l, unsigned direction)
{
	struct ferryi_endpoint *e = endpoint(l);
	bool sending = direction & FERRY_SEND;
	bool receiving = direction & FERRY_RECV;
	int err = ferryi_socket_shutdown(e->in, sending, receiving);

	e->ended_out |= sending;
	e->ended_in |= receiving;
	if (err && err != -ENOTCONN) /* the peer was first: ended it is */
		return ferryi_endpoint_result(l, err);
	return 0;
}

/* --- names --------------------------------------------------------------- */

int ferryi_endpoint_name(const char *scheme, const struct ferryi_name *n,
			 char *buf, size_t size)
{
	char text[FERRYI_NAME_TEXT];
	struct ferryi_address a;
	int err = ferryi_name_format(n, text);

	if (err)
		return err;
	snprintf(a.scheme, sizeof a.scheme, "%s", scheme);
	a.rest = text;
	a.n_keys = 0;
	return ferryi_address_format(&a, buf, size);
}

/* --- who and how --------------------------------------------------------- */

void ferryi_endpoint_meet(struct ferry_link *l)
{
	struct ferryi_endpoint *e = endpoint(l);
	struct ferry_process *p = &e->peer;

	if (ferryi_socket_peer(e->in, &p->pid, &p->uid, &p->gid) != 0)
		return;
	p->proof = FERRY_KERNEL;
	if (p->pid) {
		p->start_time = ferryi_start_time(p->pid);
		ferryi_process_name(p->pid, p->name);
	}
	e->known = true;
}

int ferryi_endpoint_peer(struct ferry_link *l, struct ferry_process *out)
{
	struct ferryi_endpoint *e = endpoint(l);

	if (!e->known)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: the kernel does not vouch "
				   "for who is at the other end (unix: links "
				   "have that)",
				   l->address);
	*out = e->peer;
	return 0;
}

int ferryi_endpoint_local(struct ferry_link *l, char *buf, size_t size)
{
	struct ferryi_name n;
	int err = ferryi_socket_name(endpoint(l)->in, &n);

	if (!err)
		err = ferryi_endpoint_name(l->t->info.scheme, &n, buf, size);
	if (err < 0)
		return ferryi_fail(-ENOENT, "%s: this end has no name",
				   l->address);
	return err;
}

static const char *what_happened(int err)
{
	switch (err) {
	case -EAGAIN: return "nothing can be moved now";
	case -ETIMEDOUT: return "the deadline passed";
	case -ENODATA: return "the other side has ended";
	case -ECONNRESET:
		return "the other side died or closed without reading all";
	}
	return NULL;
}

int ferryi_endpoint_explain(struct ferry_link *l, int err, char *buf,
			    size_t size)
{
	struct ferryi_endpoint *e = endpoint(l);
	const char *what = what_happened(err);

	if (!what || l->listening)
		return 0;
	if (!e->known || !e->peer.pid)
		return snprintf(buf, size, "%s: %s", l->address, what);
	return snprintf(buf, size, "%s: %s (the peer is pid %d%s)", l->address,
			what, (int)e->peer.pid,
			ferryi_may_live((uint32_t)e->peer.pid,
					e->peer.start_time) ?
				"" :
				", which has ended");
}

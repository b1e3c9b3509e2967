/* SPDX-License-Identifier: MIT */
/* See packets.h. */
#include "link/packets.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "sys/files.h"
#include "sys/passing.h"
#include "sys/sockets.h"

static struct ferryi_endpoint *endpoint(struct ferry_link *l)
{
	return l->state;
}

/* --- sending ------------------------------------------------------------- */

int ferryi_packet_too_large(struct ferry_link *l, size_t len)
{
	return ferryi_fail(-EMSGSIZE,
			   "%s: a message of %zu bytes is larger "
			   "than the %zd that the socket's buffer takes (use "
			   "type=stream&framing=len32, a mailbox, or raise "
			   "net.core.wmem_default)",
			   l->address, len,
			   ferryi_socket_largest(endpoint(l)->out));
}

int ferryi_packet_send(struct ferry_link *l, const void *data, size_t len)
{
	struct ferryi_endpoint *e = endpoint(l);
	ssize_t n;

	if (e->ended_out)
		return ferryi_endpoint_ended(l, "sending");
	n = ferryi_socket_send(e->out, data, len);
	if (n == -EMSGSIZE)
		return ferryi_packet_too_large(l, len);
	return n < 0 ? ferryi_endpoint_result(l, n) : 0;
}

int ferryi_packet_send_fds(struct ferry_link *l, const void *data, size_t len,
			   const int *fds, unsigned n)
{
	struct ferryi_endpoint *e = endpoint(l);
	int r;

	if (e->ended_out)
		return ferryi_endpoint_ended(l, "sending");
	r = ferryi_pass(e->out, data, len, fds, n);
	switch (r) {
	case 0: return 0;
	case -EMSGSIZE: return ferryi_packet_too_large(l, len);
	case -EBADF:
		return ferryi_fail(-EINVAL,
				   "%s: one of the descriptors is not open",
				   l->address);
	case -ETOOMANYREFS:
		return ferryi_fail(-EMFILE,
				   "%s: too many descriptors are under way "
				   "(let the other side receive, or raise "
				   "ulimit -n)",
				   l->address);
	}
	return ferryi_endpoint_result(l, r);
}

int ferryi_packet_loan(struct ferry_link *l, size_t len,
		       struct ferry_message *m)
{
	return ferryi_copies_new(&endpoint(l)->copies, l, len, m);
}

int ferryi_packet_end(struct ferry_link *l, struct ferry_message *m)
{
	return ferryi_copies_drop(&endpoint(l)->copies, m);
}

int ferryi_packet_commit(struct ferry_link *l, struct ferry_message *m)
{
	int err = ferryi_copies_check(&endpoint(l)->copies, m);

	if (!err)
		err = l->messages->send(l, m->data, m->len);
	return err ? err : ferryi_packet_end(l, m);
}

/* --- receiving ----------------------------------------------------------- */

/* What comes after a reset that is told first: see endpoint.h. */
static bool was_reset(struct ferry_link *l, ssize_t n)
{
	if (n != -ECONNRESET)
		return false;
	ferryi_endpoint_result(l, n);
	return true;
}

ssize_t ferryi_packet_next_len(struct ferry_link *l)
{
	struct ferryi_endpoint *e = endpoint(l);
	ssize_t n;

	if (e->ended_in)
		return ferryi_endpoint_ended(l, "receiving");
	n = ferryi_socket_next(e->in);
	if (was_reset(l, n))
		n = ferryi_socket_next(e->in);
	return n < 0 ? ferryi_endpoint_result(l, n) : n;
}

static int was_cut(struct ferry_link *l)
{
	return ferryi_fail(-EBADMSG,
			   "%s: a message was cut, because another process "
			   "receives from the same socket (give each its own)",
			   l->address);
}

ssize_t ferryi_packet_recv(struct ferry_link *l, void *buf, size_t size)
{
	ssize_t n = l->messages->next_len(l);

	if (n < 0)
		return n;
	if ((size_t)n > size)
		return -EMSGSIZE;
	n = ferryi_socket_take(endpoint(l)->in, buf, (size_t)n);
	if (n == -EMSGSIZE)
		return was_cut(l);
	return n < 0 ? ferryi_endpoint_result(l, n) : n;
}

ssize_t ferryi_packet_recv_fds(struct ferry_link *l, void *buf, size_t size,
			       int *fds, unsigned *n)
{
	struct ferryi_endpoint *e = endpoint(l);
	int came[FERRYI_PASSED_MOST];
	unsigned n_came = 0;
	ssize_t r;

	if (e->ended_in)
		return ferryi_endpoint_ended(l, "receiving");
	r = ferryi_passed_message(e->in, buf, size, came, &n_came);
	if (was_reset(l, r))
		r = ferryi_passed_message(e->in, buf, size, came, &n_came);
	if (r == -EMFILE)
		return ferryi_fail(-EMFILE,
				   "%s: no descriptor is left for those of the "
				   "next message (raise ulimit -n; it stays "
				   "first)",
				   l->address);
	if (r == -EBADMSG)
		return was_cut(l);
	if (r < 0)
		return r == -EMSGSIZE ? r : ferryi_endpoint_result(l, r);
	for (unsigned i = 0; i < n_came; i++)
		if (i < *n)
			fds[i] = came[i];
		else
			ferryi_close(came[i]);
	*n = n_came;
	return r;
}

static void note_sender(struct ferry_link *l, const struct ferryi_came *came,
			struct ferry_message *m)
{
	struct ferryi_endpoint *e = endpoint(l);
	char *from = ferryi_copies_from(m);
	int len;

	if (came->known && e->known && came->pid == e->peer.pid)
		m->sender = e->peer;
	else if (came->known)
		m->sender = (struct ferry_process){ .pid = came->pid,
						    .uid = came->uid,
						    .gid = came->gid,
						    .proof = FERRY_KERNEL };
	/* Not the link's scheme: fd: has none that could be sent to. */
	len = ferryi_endpoint_name(ferryi_name_is_ip(&came->from) ? "udp" :
								    "unix",
				   &came->from, from, FERRYI_COPY_FROM_MAX);
	m->from = len > 0 && len < FERRYI_COPY_FROM_MAX ? from : NULL;
}

int ferryi_packet_take(struct ferry_link *l, struct ferry_message *m)
{
	ssize_t n = l->messages->next_len(l);
	struct ferryi_came came;
	int err;

	if (n < 0)
		return (int)n;
	err = ferryi_packet_loan(l, (size_t)n, m);
	if (err)
		return err;
	n = ferryi_socket_take_from(endpoint(l)->in, m->data, m->len, &came);
	if (n < 0) {
		ferryi_packet_end(l, m);
		return n == -EMSGSIZE ? was_cut(l) :
					ferryi_endpoint_result(l, n);
	}
	m->len = (size_t)n;
	note_sender(l, &came, m);
	return 0;
}

const struct ferryi_messages ferryi_messages_of_socket = {
	FERRYI_PACKETS,
	.send = ferryi_packet_send,
};
